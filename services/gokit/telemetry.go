package gokit

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
)

const (
	exportInterval = 5 * time.Second
	exportLimit    = 3 * time.Second
)

// recorder makes spans and durations of calls and events. Without an endpoint nothing is sent, and trace ids are in the
// logs all the same.
type recorder struct {
	tracer    trace.Tracer
	durations metric.Float64Histogram
	shutdown  []func(context.Context) error
}

func newRecorder(ctx context.Context, settings Settings, log *slog.Logger) (*recorder, error) {
	of := resource.NewSchemaless(
		attribute.String("service.name", settings.Service),
		attribute.String("service.namespace", "shop"),
		attribute.String("service.version", settings.Version),
		attribute.String("service.instance.id", settings.Pod),
	)
	spans := []sdktrace.TracerProviderOption{
		sdktrace.WithResource(of),
		sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(settings.Sampled))),
	}
	values := []sdkmetric.Option{sdkmetric.WithResource(of)}
	if settings.OTLPEndpoint != "" {
		reportLoss(log)
		_ = os.Unsetenv("OTEL_EXPORTER_OTLP_ENDPOINT") // the exporters would read it, too, and want a URL
		target := otlpTarget(settings.OTLPEndpoint)
		traces, err := otlptracegrpc.New(ctx, otlptracegrpc.WithInsecure(), otlptracegrpc.WithEndpoint(target),
			otlptracegrpc.WithTimeout(exportLimit))
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		metrics, err := otlpmetricgrpc.New(ctx, otlpmetricgrpc.WithInsecure(), otlpmetricgrpc.WithEndpoint(target),
			otlpmetricgrpc.WithTimeout(exportLimit))
		if err != nil {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_ENDPOINT: %w", err)
		}
		spans = append(spans, sdktrace.WithBatcher(traces, sdktrace.WithBatchTimeout(exportInterval)))
		reader := sdkmetric.NewPeriodicReader(metrics, sdkmetric.WithInterval(exportInterval))
		values = append(values, sdkmetric.WithReader(reader))
	}
	tracing, metering := sdktrace.NewTracerProvider(spans...), sdkmetric.NewMeterProvider(values...)
	durations, err := metering.Meter("gokit").Float64Histogram("rpc.server.duration",
		metric.WithUnit("ms"), metric.WithDescription("How long calls took"))
	if err != nil {
		return nil, err
	}
	shutdown := []func(context.Context) error{tracing.Shutdown, metering.Shutdown}
	return &recorder{tracing.Tracer("gokit"), durations, shutdown}, nil
}

// close sends what is left, within the limit of one export.
func (r *recorder) close() {
	ctx, cancel := context.WithTimeout(context.Background(), exportLimit)
	defer cancel()
	for _, shutdown := range r.shutdown {
		_ = shutdown(ctx) // what could not be sent is lost; reportLoss has said so
	}
}

// serving begins the span of a call; its parent is the caller's.
func (r *recorder) serving(ctx context.Context, path string, headers metadata.MD) (context.Context, trace.Span) {
	ctx = propagation.TraceContext{}.Extract(ctx, carrier(headers))
	return r.tracer.Start(ctx, path[1:], trace.WithSpanKind(trace.SpanKindServer))
}

func (r *recorder) served(ctx context.Context, span trace.Span, path string, code codes.Code, started time.Time) {
	attributes := ofCall(path, code)
	span.SetAttributes(attributes...)
	if faulty(code) {
		span.SetStatus(otelcodes.Error, "")
	}
	span.End()
	took := milliseconds(time.Since(started))
	r.durations.Record(context.WithoutCancel(ctx), took, metric.WithAttributes(attributes...))
}

// ofCall: https://opentelemetry.io/docs/specs/semconv/rpc/grpc/
func ofCall(path string, code codes.Code) []attribute.KeyValue {
	service, method, _ := strings.Cut(path[1:], "/")
	return []attribute.KeyValue{
		attribute.String("rpc.system", "grpc"),
		attribute.String("rpc.service", service),
		attribute.String("rpc.method", method),
		attribute.Int("rpc.grpc.status_code", int(code)),
	}
}

func faulty(code codes.Code) bool {
	switch code {
	case codes.Unknown, codes.Internal, codes.Unavailable, codes.DataLoss, codes.DeadlineExceeded, codes.Unimplemented:
		return true
	}
	return false
}

// otlpTarget: the endpoint is a URL, though many write host:port.
func otlpTarget(endpoint string) string {
	if parsed, err := url.Parse(endpoint); err == nil && parsed.Host != "" {
		return parsed.Host
	}
	return endpoint
}

// reportLoss has the first failure of many logged: an endpoint that is away must not fill the log.
func reportLoss(log *slog.Logger) {
	var said atomic.Bool
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		if said.CompareAndSwap(false, true) {
			log.Warn("telemetry is lost: the endpoint does not answer", "reason", err.Error())
		}
	}))
}

// carrier reads trace context from the headers of a call.
type carrier metadata.MD

func (c carrier) Get(key string) string {
	if values := metadata.MD(c).Get(key); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (c carrier) Set(key, value string) { metadata.MD(c).Set(key, value) }

func (c carrier) Keys() []string {
	keys := make([]string, 0, len(c))
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}
