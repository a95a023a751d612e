/** Spans and durations of calls and events, sent to OTEL_EXPORTER_OTLP_ENDPOINT when it is set; trace ids are in the logs all the same. */

import {
  type Attributes,
  type Context,
  DiagLogLevel,
  defaultTextMapGetter,
  diag,
  type Histogram,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";
import { status } from "@grpc/grpc-js";
import type { Log } from "./logs.js";
import type { Settings } from "./settings.js";

const INTERVAL = 5000;
const LIMIT = 3000;
const FAULTS = new Set([
  ...[status.UNKNOWN, status.INTERNAL, status.UNAVAILABLE, status.DATA_LOSS],
  ...[status.DEADLINE_EXCEEDED, status.UNIMPLEMENTED],
]);
const W3C = new W3CTraceContextPropagator();

export class Telemetry {
  private constructor(
    private readonly tracer: Tracer,
    private readonly durations: Histogram,
    /** Sends what is left. */
    readonly close: () => Promise<void>,
  ) {}

  static open(settings: Settings, log: Log): Telemetry {
    const resource = resourceFromAttributes({
      "service.name": settings.service,
      "service.namespace": "shop",
      "service.version": settings.version,
      "service.instance.id": settings.pod,
    });
    const url = settings.otlpEndpoint.includes("://") ? settings.otlpEndpoint : `http://${settings.otlpEndpoint}`;
    const to = { url, timeoutMillis: LIMIT };
    if (settings.otlpEndpoint) reportLoss(log);
    const sampler = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(settings.sampled) });
    const tracing = new BasicTracerProvider({
      resource,
      sampler,
      spanProcessors: settings.otlpEndpoint
        ? [new BatchSpanProcessor(new OTLPTraceExporter(to), { scheduledDelayMillis: INTERVAL })]
        : [],
    });
    const exporting = { exportIntervalMillis: INTERVAL, exportTimeoutMillis: LIMIT };
    const metering = new MeterProvider({
      resource,
      readers: settings.otlpEndpoint
        ? [new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter(to), ...exporting })]
        : [],
    });
    const about = { unit: "ms", description: "How long calls took" };
    const durations = metering.getMeter("tskit").createHistogram("rpc.server.duration", about);
    const close = async () => {
      await Promise.allSettled([tracing.shutdown(), metering.shutdown()]);
    };
    return new Telemetry(tracing.getTracer("tskit"), durations, close);
  }

  /** Begins the span of a call, under the caller's. */
  serving(path: string, header: (name: string) => string): Span {
    return this.tracer.startSpan(path.slice(1), { kind: SpanKind.SERVER }, under(header("traceparent")));
  }

  /** `took` in milliseconds. */
  served(span: Span, path: string, code: status, took: number): void {
    const attributes = ofCall(path, code);
    span.setAttributes(attributes);
    if (FAULTS.has(code)) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
    this.durations.record(took, attributes);
  }

  /** Begins the span of an event that is handled, in the trace of what it is about. */
  consuming(name: string, traceparent: string, attributes: Attributes): Span {
    return this.tracer.startSpan(name, { kind: SpanKind.CONSUMER, attributes }, under(traceparent));
  }
}

function under(traceparent: string): Context {
  return W3C.extract(trace.deleteSpan(ROOT_CONTEXT), { traceparent }, defaultTextMapGetter);
}

/** https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ */
function ofCall(path: string, code: status): Attributes {
  const [service, method] = path.slice(1).split("/", 2);
  return {
    "rpc.system": "grpc",
    "rpc.service": service ?? "",
    "rpc.method": method ?? "",
    "rpc.grpc.status_code": code,
  };
}

/** The first failure of many is logged: an endpoint that is away must not fill the log. */
function reportLoss(log: Log): void {
  let said = false;
  const quiet = () => {};
  const error = (reason: string) => {
    if (!said) log.warn({ reason }, "telemetry is lost: the endpoint does not answer");
    said = true;
  };
  diag.setLogger({ error, warn: quiet, info: quiet, debug: quiet, verbose: quiet }, DiagLogLevel.ERROR);
}
