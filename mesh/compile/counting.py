"""Istio's standard metrics from an Envoy that has no Istio in it: its stats access logger counts what ends.

Istio's own proxy counts by its `istio.stats` filter, with labels that it learns from its peers. Here a proxy says only what it knows
of each request; the observatory, which knows the pods, adds the rest (mesh.observe.istio): names and labels are agreed with it.

Source: https://istio.io/latest/docs/reference/config/metrics/
"""

from __future__ import annotations

from typing import Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog
from envoy.extensions.access_loggers.stats.v3.stats_pb2 import Config

from mesh.compile.telemetry import Direction
from mesh.envoy.typed import extension

#: Label -> what Envoy's access log calls it. Nothing that a caller may choose: each new value is a series more.
_REQUEST: Final = {
    "response_code": "%RESPONSE_CODE%",
    "grpc_response_status": "%GRPC_STATUS_NUMBER%",
    "response_flags": "%RESPONSE_FLAGS%",
    "cluster": "%UPSTREAM_CLUSTER_RAW%",
    "port": "%DOWNSTREAM_LOCAL_PORT%",
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

_MILLISECONDS: Final = Config.Histogram.Milliseconds
_BYTES: Final = Config.Histogram.Bytes


def requests(direction: Direction) -> AccessLog:
    """Counts each HTTP request when it ends, on the side of whoever calls or is called."""
    labels = {**_REQUEST, **(_CALLED if direction is Direction.INBOUND else _CALLING)}
    tags = [Config.Tag(name=name, value_format=value) for name, value in labels.items()]
    config = Config(
        stat_prefix="istio",
        counters=[
            Config.Counter(stat=Config.Stat(name="requests_total", tags=tags), value_fixed={"value": 1})
        ],
        histograms=[
            _histogram("request_duration_milliseconds", tags, _MILLISECONDS, "%DURATION%"),
            _histogram("request_bytes", tags, _BYTES, "%BYTES_RECEIVED%"),
            _histogram("response_bytes", tags, _BYTES, "%BYTES_SENT%"),
        ],
    )
    return AccessLog(**extension("envoy.access_loggers.stats", config))


def _histogram(
    name: str, tags: list[Config.Tag], unit: Config.Histogram.Unit, value: str
) -> Config.Histogram:
    return Config.Histogram(stat=Config.Stat(name=name, tags=tags), unit=unit, value_format=value)
