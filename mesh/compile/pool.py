"""Connection pools: a DestinationRule's limits as circuit breakers, and what it says of HTTP connections.

Source: istiod's applyConnectionPool. Without a limit every threshold is the largest number there is.
"""

from __future__ import annotations

from typing import Any, Final

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import UpstreamConnectionOptions
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import (
    HttpProtocolOptions as UpstreamProtocolOptions,
)

from mesh.envoy.typed import typed
from mesh.resources.istio.destinationrule import ConnectionPool, HTTPSettings, Keepalive, Tcp

OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_UNLIMITED: Final = 2**32 - 1


def circuit_breakers(pool: ConnectionPool | None) -> CircuitBreakers:
    http, tcp = _settings(pool)
    threshold = {
        "max_connections": {"value": tcp.max_connections or _UNLIMITED},
        "max_pending_requests": {"value": http.http1_max_pending_requests or _UNLIMITED},
        "max_requests": {"value": http.http2_max_requests or _UNLIMITED},
        "max_retries": {"value": http.max_retries or _UNLIMITED},
    }
    return CircuitBreakers(thresholds=[threshold])


def keepalive(pool: ConnectionPool | None) -> UpstreamConnectionOptions | None:
    """TCP keepalive of the connections to the upstream; None when nothing is said."""
    given = _settings(pool)[1].tcp_keepalive
    return UpstreamConnectionOptions(tcp_keepalive=_probes(given)) if given else None


def protocol_options(
    pool: ConnectionPool | None, http2: bool, sniffed: bool, auto_sni: bool = False
) -> UpstreamProtocolOptions | None:
    """How HTTP is spoken to the upstream; None for plain HTTP/1.1 without settings."""
    common = _common(pool)
    if not (http2 or sniffed or auto_sni or common):
        return None
    options = UpstreamProtocolOptions(common_http_protocol_options=common)
    if sniffed:
        options.use_downstream_protocol_config.http_protocol_options.SetInParent()
        options.use_downstream_protocol_config.http2_protocol_options.SetInParent()
    elif http2:
        options.explicit_http_config.http2_protocol_options.SetInParent()
        streams = _settings(pool)[0].max_concurrent_streams
        if streams > 0:
            options.explicit_http_config.http2_protocol_options.max_concurrent_streams.value = streams
    else:
        options.explicit_http_config.http_protocol_options.SetInParent()
    if auto_sni:
        options.upstream_http_protocol_options.auto_sni = True
        options.upstream_http_protocol_options.auto_san_validation = True
    return options


def extensions(options: UpstreamProtocolOptions | None) -> dict[str, Any]:
    return {OPTIONS: typed(options)} if options is not None else {}


def _common(pool: ConnectionPool | None) -> HttpProtocolOptions | None:
    http, tcp = _settings(pool)
    given: dict[str, Any] = {
        "idle_timeout": http.idle_timeout,
        "max_connection_duration": tcp.max_connection_duration,
        "max_requests_per_connection": {"value": http.max_requests_per_connection}
        if http.max_requests_per_connection > 0
        else None,
    }
    said = {name: value for name, value in given.items() if value is not None}
    return HttpProtocolOptions(**said) if said or http.max_concurrent_streams > 0 else None


def _probes(given: Keepalive) -> dict[str, Any]:
    seconds = {"keepalive_time": given.time, "keepalive_interval": given.interval}
    made: dict[str, Any] = {k: {"value": int(v.total_seconds())} for k, v in seconds.items() if v is not None}
    if given.probes > 0:
        made["keepalive_probes"] = {"value": given.probes}
    return made


def _settings(pool: ConnectionPool | None) -> tuple[HTTPSettings, Tcp]:
    http = pool.http if pool else None
    tcp = pool.tcp if pool else None
    return http or HTTPSettings(), tcp or Tcp()
