"""Connection pools: a DestinationRule's limits as circuit breakers, and TCP keepalive.

Source: istiod's applyConnectionPool, applyRetryBudget and applyTCPKeepalive. Without a limit every threshold is the largest number
there is.
"""

from __future__ import annotations

from typing import Any, Final

from envoy.config.cluster.v3.circuit_breaker_pb2 import CircuitBreakers
from envoy.config.cluster.v3.cluster_pb2 import UpstreamConnectionOptions
from envoy.config.core.v3.protocol_pb2 import HttpProtocolOptions

from mesh.resources.istio.destinationrule import ConnectionPool, HTTPSettings, Keepalive, RetryBudget, Tcp

_UNLIMITED: Final = 2**32 - 1
_BUDGET_PERCENT: Final = 20.0
_BUDGET_CONCURRENCY: Final = 3


def settings(pool: ConnectionPool | None) -> tuple[HTTPSettings, Tcp]:
    http = pool.http if pool else None
    tcp = pool.tcp if pool else None
    return http or HTTPSettings(), tcp or Tcp()


def circuit_breakers(pool: ConnectionPool | None, budget: RetryBudget | None = None) -> CircuitBreakers:
    http, tcp = settings(pool)
    threshold: dict[str, Any] = {
        "max_connections": {"value": tcp.max_connections or _UNLIMITED},
        "max_pending_requests": {"value": http.http1_max_pending_requests or _UNLIMITED},
        "max_requests": {"value": http.http2_max_requests or _UNLIMITED},
        "max_retries": {"value": http.max_retries or _UNLIMITED},
    }
    if budget is not None:
        percent = budget.percent if budget.percent is not None else _BUDGET_PERCENT
        threshold["retry_budget"] = {
            "budget_percent": {"value": percent},
            "min_retry_concurrency": {"value": budget.min_retry_concurrency or _BUDGET_CONCURRENCY},
        }
    return CircuitBreakers(thresholds=[threshold])


def keepalive(mesh_wide: Keepalive | None, pool: ConnectionPool | None) -> UpstreamConnectionOptions | None:
    """TCP keepalive of the connections to the upstream, the rule's over the mesh's; None when nothing is said."""
    said = [given for given in (mesh_wide, settings(pool)[1].tcp_keepalive) if given is not None]
    if not said:
        return None
    merged: dict[str, Any] = {}
    for given in said:
        merged |= _probes(given)
    return UpstreamConnectionOptions(tcp_keepalive=merged)


def common_options(pool: ConnectionPool | None) -> HttpProtocolOptions | None:
    """What holds for HTTP connections of any version; None when nothing is said."""
    http, tcp = settings(pool)
    given: dict[str, Any] = {
        "idle_timeout": http.idle_timeout if http.idle_timeout is not None else tcp.idle_timeout,
        "max_connection_duration": tcp.max_connection_duration,
        "max_requests_per_connection": {"value": http.max_requests_per_connection}
        if http.max_requests_per_connection > 0
        else None,
    }
    said = {name: value for name, value in given.items() if value is not None}
    of_http2 = http.max_concurrent_streams > 0 or http.http2_keep_alive is not None
    return HttpProtocolOptions(**said) if said or of_http2 else None


def _probes(given: Keepalive) -> dict[str, Any]:
    seconds = {"keepalive_time": given.time, "keepalive_interval": given.interval}
    made: dict[str, Any] = {k: {"value": int(v.total_seconds())} for k, v in seconds.items() if v is not None}
    if given.probes > 0:
        made["keepalive_probes"] = {"value": given.probes}
    return made
