"""Istio's standard metrics from an Envoy that has no Istio in it: its stats access logger counts what ends.

Istio's own proxy counts by its `istio.stats` filter, with labels that it learns from its peers. Here a proxy says only what it knows
of each request; the observatory, which knows the pods, adds the rest (mesh.observe.istio): names and labels are agreed with it.

Source: https://istio.io/latest/docs/reference/config/metrics/
"""

from __future__ import annotations

from typing import Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog, AccessLogFilter
from envoy.data.accesslog.v3.accesslog_pb2 import AccessLogType
from envoy.extensions.access_loggers.stats.v3.stats_pb2 import Config

from mesh.compile.telemetry import Direction
from mesh.envoy.typed import extension

#: Label -> what Envoy's access log calls it. Nothing that a caller may choose: each new value is a series more.
_CONNECTION: Final = {
    "response_flags": "%RESPONSE_FLAGS%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "port": "%DOWNSTREAM_LOCAL_PORT%",
}
_REQUEST: Final = {
    "response_code": "%RESPONSE_CODE%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
    **_CONNECTION,
}
_CALLED: Final = {
    "reporter": "destination",
    "peer_principal": "%DOWNSTREAM_PEER_URI_SAN%",
    "peer": "%DOWNSTREAM_PEER_DNS_SAN%",
}
_CALLING: Final = {
    "reporter": "source",
    "peer_principal": "%UPSTREAM_PEER_URI_SAN%",
    "peer": "%UPSTREAM_HOST%",
}

_CONNECTED: Final = AccessLogType.TcpUpstreamConnected
_ENDED: Final = AccessLogType.TcpConnectionEnd
_MILLISECONDS: Final = Config.Histogram.Milliseconds
_BYTES: Final = Config.Histogram.Bytes


def requests(direction: Direction) -> AccessLog:
    """Counts each HTTP request when it ends, on the side of whoever calls or is called."""
    labels = {**_REQUEST, **(_CALLED if direction is Direction.INBOUND else _CALLING)}
    tags = [Config.Tag(name=name, value_format=value) for name, value in labels.items()]
    config = Config(
        stat_prefix="istio",
        counters=[_one("requests_total", tags)],
        histograms=[
            _histogram("request_duration_milliseconds", tags, _MILLISECONDS, "%DURATION%"),
            _histogram("request_bytes", tags, _BYTES, "%BYTES_RECEIVED%"),
            _histogram("response_bytes", tags, _BYTES, "%BYTES_SENT%"),
        ],
    )
    return AccessLog(**extension("envoy.access_loggers.stats", config))


def connections(direction: Direction) -> list[AccessLog]:
    """Counts each TCP connection when it ends, with its bytes, and where it is called from also when it is made.

    The called side cannot say who it is whose connection is made: Envoy connects on while the handshake goes on.
    """
    labels = {**_CONNECTION, **(_CALLED if direction is Direction.INBOUND else _CALLING)}
    tags = [Config.Tag(name=name, value_format=value) for name, value in labels.items()]
    opened = [_one("tcp_connections_opened_total", tags)]
    ended = [
        _one("tcp_connections_closed_total", tags),
        _counted("tcp_sent_bytes_total", tags, "%BYTES_SENT%"),
        _counted("tcp_received_bytes_total", tags, "%BYTES_RECEIVED%"),
    ]
    made = [_when(_CONNECTED, opened)] if direction is Direction.OUTBOUND else []
    return [*made, _when(_ENDED, ended)]


def at_end(log: AccessLog) -> AccessLog:
    """One that was to be written when a connection ends, where connections are told of earlier, too."""
    found = AccessLog()
    found.CopyFrom(log)
    ended = AccessLogFilter(log_type_filter={"types": [_ENDED]})
    found.filter.CopyFrom(
        AccessLogFilter(and_filter={"filters": [log.filter, ended]}) if log.HasField("filter") else ended
    )
    return found


def _when(kind: AccessLogType, counters: list[Config.Counter]) -> AccessLog:
    config = Config(stat_prefix="istio", counters=counters)
    log = AccessLog(**extension("envoy.access_loggers.stats", config))
    log.filter.log_type_filter.types.append(kind)
    return log


def _one(name: str, tags: list[Config.Tag]) -> Config.Counter:
    return Config.Counter(stat=Config.Stat(name=name, tags=tags), value_fixed={"value": 1})


def _counted(name: str, tags: list[Config.Tag], value: str) -> Config.Counter:
    return Config.Counter(stat=Config.Stat(name=name, tags=tags), value_format=value)


def _histogram(
    name: str, tags: list[Config.Tag], unit: Config.Histogram.Unit, value: str
) -> Config.Histogram:
    return Config.Histogram(stat=Config.Stat(name=name, tags=tags), unit=unit, value_format=value)
