# One image a service in Go: docker build --build-arg SERVICE=recommendations -t shop/recommendations:dev -f services/go.Dockerfile services
FROM golang:1.26-bookworm AS build
WORKDIR /services
COPY go.mod go.sum ./
ARG GOPROXY
RUN go mod download
# A layer that changes only with go.mod: compiling these takes most of the time.
RUN CGO_ENABLED=0 go build -trimpath google.golang.org/grpc/health google.golang.org/grpc/reflection modernc.org/sqlite \
  github.com/nats-io/nats.go/jetstream go.opentelemetry.io/otel/sdk/metric go.opentelemetry.io/otel/sdk/trace \
  go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc
COPY gen/go gen/go
COPY gokit gokit
ARG SERVICE
COPY $SERVICE $SERVICE
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /service ./$SERVICE

FROM scratch
COPY --from=build /service /service
USER 10001:10001
EXPOSE 50051
ENTRYPOINT ["/service"]
