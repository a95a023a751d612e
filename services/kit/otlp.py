"""Sends traces and metrics to OTEL_EXPORTER_OTLP_ENDPOINT, by OTLP over gRPC, off the path of any call.

Input: what telemetry keeps. Output: one export of spans and one of metrics every few seconds, and a last one when
the process ends. An endpoint that is slow or gone costs the calls nothing: spans beyond a limit are dropped and counted.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from grpc import StatusCode, aio
from structlog.typing import FilteringBoundLogger

from services.gen.shop.telemetry.v1 import otlp_pb2 as pb
from services.kit.settings import Settings
from services.kit.telemetry import BOUNDS, Code, Counter, Done, Durations, Finished, Gauge, Kind, Recorder

Send = Any  # a UnaryUnaryMultiCallable whose answer is not read
INTERVAL = 5.0
LIMIT = 3.0
TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
HTTP_FAULT = 500
LAG = Gauge("eventloop.lag", "How late the event loop woke up, when the process last said something", "s")
PROCESSOR = Gauge("process.cpu.time", "Processor time that the process has used", "s")
_KINDS = {
    Kind.CLIENT: pb.SPAN_KIND_CLIENT,
    Kind.PRODUCER: pb.SPAN_KIND_PRODUCER,
    Kind.CONSUMER: pb.SPAN_KIND_CONSUMER,
}
_FAULTS = frozenset(
    {
        StatusCode.UNKNOWN,
        StatusCode.INTERNAL,
        StatusCode.UNAVAILABLE,
        StatusCode.DATA_LOSS,
        StatusCode.DEADLINE_EXCEEDED,
        StatusCode.UNIMPLEMENTED,
    }
)


async def export(recorder: Recorder, settings: Settings, log: FilteringBoundLogger) -> None:
    """Sends for ever; when cancelled, once more."""
    channel = aio.insecure_channel(_target(settings.otlp_endpoint))
    exporter = Exporter(recorder, settings, channel, log)
    try:
        while True:
            due = asyncio.get_running_loop().time() + INTERVAL
            await asyncio.sleep(INTERVAL)
            recorder.measured(LAG, asyncio.get_running_loop().time() - due)
            recorder.measured(PROCESSOR, time.process_time())
            await exporter.send()
    finally:
        await exporter.send()
        await channel.close()


def _target(endpoint: str) -> str:
    """OTEL_EXPORTER_OTLP_ENDPOINT is a URL, though many write host:port."""
    return urlsplit(endpoint).netloc if "://" in endpoint else endpoint


class Exporter:
    """Knows the resource, and whether the endpoint has been answering, so that a change of that is logged once."""

    def __init__(
        self, recorder: Recorder, settings: Settings, channel: aio.Channel, log: FilteringBoundLogger
    ) -> None:
        self._recorder = recorder
        self._log = log
        self._traces: Send = channel.unary_unary(TRACES, request_serializer=pb.ExportTraces.SerializeToString)
        self._metrics: Send = channel.unary_unary(
            METRICS, request_serializer=pb.ExportMetrics.SerializeToString
        )
        self._resource = resource(settings)
        self._started = time.time_ns()
        self._answering = True
        self._measuring = True

    async def send(self) -> None:
        spans, now = self._recorder.take(), time.time_ns()
        offset = now - int(asyncio.get_running_loop().time() * 1e9)
        try:
            if spans:
                await self._traces(traces(spans, self._resource, offset), timeout=LIMIT)
            if self._measuring:
                await self._measure(now)
        except aio.AioRpcError as error:
            if self._answering:
                self._log.warning("telemetry is lost: the endpoint does not answer", reason=error.details())
            self._answering = False
        else:
            if not self._answering:
                self._log.info("telemetry is sent again", dropped=self._recorder.dropped)
            self._answering = True

    async def _measure(self, now: int) -> None:
        """Not again where only traces are taken, as a Jaeger does."""
        if not (self._recorder.durations or self._recorder.gauges or self._recorder.counts):
            return
        try:
            await self._metrics(metrics(self._recorder, self._resource, self._started, now), timeout=LIMIT)
        except aio.AioRpcError as error:
            if error.code() is not StatusCode.UNIMPLEMENTED:
                raise
            self._log.info("the endpoint takes no metrics: none are sent to it")
            self._measuring = False


def resource(settings: Settings) -> pb.Resource:
    return pb.Resource(
        attributes=[
            _text("service.name", settings.service),
            _text("service.namespace", "shop"),
            _text("service.version", settings.version),
            _text("service.instance.id", settings.pod),
        ]
    )


def traces(spans: Iterable[Finished | Done], of: pb.Resource, offset: int) -> pb.ExportTraces:
    """`offset` turns the event loop's clock into nanoseconds since 1970."""
    scope = pb.ScopeSpans(scope=pb.Scope(name="services.kit"), spans=[_span(span, offset) for span in spans])
    return pb.ExportTraces(resource_spans=[pb.ResourceSpans(resource=of, scope_spans=[scope])])


def metrics(recorder: Recorder, of: pb.Resource, started: int, now: int) -> pb.ExportMetrics:
    found = [_gauge(gauge, value, now) for gauge, value in recorder.gauges.items()]
    found += [_sum(counter, counts, started, now) for counter, counts in recorder.counts.items()]
    calls = [
        _point(key, each, started, now) for key, each in recorder.durations.items() if not _is_http(key[1])
    ]
    if calls:
        found.append(_histogram("rpc.server.duration", "How long calls took", "ms", calls))
    requests = [
        _point(key, each, started, now, 1000) for key, each in recorder.durations.items() if _is_http(key[1])
    ]
    if requests:
        found.append(_histogram("http.server.request.duration", "How long requests took", "s", requests))
    scope = pb.ScopeMetrics(scope=pb.Scope(name="services.kit"), metrics=found)
    return pb.ExportMetrics(resource_metrics=[pb.ResourceMetrics(resource=of, scope_metrics=[scope])])


def _histogram(name: str, about: str, unit: str, points: list[pb.HistogramPoint]) -> pb.Metric:
    made = pb.Histogram(data_points=points, aggregation_temporality=pb.TEMPORALITY_CUMULATIVE)
    return pb.Metric(name=name, description=about, unit=unit, histogram=made)


def _gauge(gauge: Gauge, value: float, now: int) -> pb.Metric:
    values = pb.Gauge(data_points=[pb.NumberPoint(time_unix_nano=now, as_double=value)])
    return pb.Metric(name=gauge.name, description=gauge.description, unit=gauge.unit, gauge=values)


def _sum(
    counter: Counter, counts: Mapping[tuple[tuple[str, str], ...], float], started: int, now: int
) -> pb.Metric:
    points = [
        pb.NumberPoint(
            start_time_unix_nano=started,
            time_unix_nano=now,
            as_double=value,
            attributes=[_text(name, each) for name, each in labels],
        )
        for labels, value in counts.items()
    ]
    told = pb.Sum(data_points=points, aggregation_temporality=pb.TEMPORALITY_CUMULATIVE, is_monotonic=True)
    return pb.Metric(name=counter.name, description=counter.description, unit=counter.unit, sum=told)


def _span(finished: Finished | Done, offset: int) -> pb.Span:
    ids = finished.span
    span = pb.Span(
        trace_id=bytes.fromhex(ids.trace_id),
        span_id=bytes.fromhex(ids.span_id),
        parent_span_id=bytes.fromhex(ids.parent),
        start_time_unix_nano=int(finished.started * 1e9) + offset,
        end_time_unix_nano=int(finished.ended * 1e9) + offset,
    )
    if isinstance(finished, Done):
        span.name, span.kind = finished.work.name, _KINDS[finished.work.kind]
        span.attributes.extend(_text(key, value) for key, value in finished.work.attributes)
        faulty = finished.faulty
    else:
        span.name = finished.path.removeprefix("/")
        span.kind = pb.SPAN_KIND_SERVER if finished.server else pb.SPAN_KIND_CLIENT
        span.attributes.extend(_of_call(finished.path, finished.code))
        faulty = finished.code >= HTTP_FAULT if isinstance(finished.code, int) else finished.code in _FAULTS
    if faulty:
        span.status.code = pb.SPAN_STATUS_CODE_ERROR
    return span


def _point(
    key: tuple[str, Code], durations: Durations, started: int, now: int, scale: int = 1
) -> pb.HistogramPoint:
    """`scale`: how many milliseconds the metric's unit has."""
    return pb.HistogramPoint(
        start_time_unix_nano=started,
        time_unix_nano=now,
        count=sum(durations.counts),
        sum=durations.total / scale,
        bucket_counts=durations.counts,
        explicit_bounds=[bound / scale for bound in BOUNDS],
        attributes=_of_call(*key),
    )


def _of_call(path: str, code: Code) -> list[pb.Attribute]:
    """https://opentelemetry.io/docs/specs/semconv/rpc/grpc/ and .../http/; the path of a request is "GET /v1/orders/{id}"."""
    if isinstance(code, int):
        verb, _, route = path.partition(" ")
        status = pb.Attribute(key="http.response.status_code", value=pb.Value(int_value=code))
        return [
            _text("http.request.method", verb),
            *([_text("http.route", route)] if route else []),
            status,
        ]
    service, _, method = path[1:].partition("/")
    number = pb.Value(int_value=code.value[0])
    return [
        _text("rpc.system", "grpc"),
        _text("rpc.service", service),
        _text("rpc.method", method),
        pb.Attribute(key="rpc.grpc.status_code", value=number),
    ]


def _is_http(code: Code) -> bool:
    return isinstance(code, int)


def _text(key: str, value: str) -> pb.Attribute:
    return pb.Attribute(key=key, value=pb.Value(string_value=value))
