# One image a service in TypeScript: docker build --build-arg SERVICE=notifications -t shop/notifications:dev -f services/ts.Dockerfile services
FROM node:20-bookworm-slim AS build
WORKDIR /services
ARG NPM_CONFIG_REGISTRY
COPY package.json package-lock.json .npmrc ./
RUN npm ci --loglevel=error
COPY tsconfig.json ./
COPY gen/ts gen/ts
COPY tskit tskit
ARG SERVICE
COPY $SERVICE $SERVICE
RUN node_modules/.bin/tsc -p . && npm prune --omit=dev --loglevel=error

FROM node:20-bookworm-slim
ARG SERVICE
ENV SERVICE=$SERVICE NODE_ENV=production
WORKDIR /services
COPY --from=build /services/package.json ./
COPY --from=build /services/node_modules node_modules
COPY --from=build /services/build build
COPY $SERVICE/migrations $SERVICE/migrations
USER 10001:10001
EXPOSE 50051
CMD ["sh", "-c", "exec node build/ts/$SERVICE/main.js"]
