"""What Prometheus is asked about a mesh. ``{w}`` is the window, in seconds.

Istio's standard metrics (https://istio.io/latest/docs/reference/config/metrics/), and those of Envoy's clusters, of which a cluster has as
much as its proxies are told to keep (proxyStatsMatcher); what is not there is not shown.
"""

from __future__ import annotations

from typing import Final

ENDS: Final = (
    "source_workload",
    "source_workload_namespace",
    "destination_workload",
    "destination_workload_namespace",
    "destination_service_name",
    "destination_service_namespace",
)
_ENDS = ",".join(ENDS)
_CLUSTER = "pod,namespace,cluster_name"


def _grown(metric: str) -> str:
    """A second, in the window. rate() cannot know what a series that is new has begun with, and says 0 for the first call over an edge: where its
    target was scraped before, it has begun with 0."""
    new = f"(({metric} unless {metric} offset {{w}}s) and on (instance) (up offset {{w}}s == 1)) / {{w}}"
    return f"((rate({metric}[{{w}}s]) and {metric} offset {{w}}s) or {new} or rate({metric}[{{w}}s]))"


REQUESTS: Final = (
    f"sum by (reporter,{_ENDS},request_protocol,response_code,grpc_response_status,connection_security_policy) "
    f"({_grown('istio_requests_total')})"
)
_BUCKETS: Final = 'istio_request_duration_milliseconds_bucket{{reporter="source"}}'
LATENCY: Final = f"histogram_quantile({{q}}, sum by (le,{_ENDS}) ({_grown(_BUCKETS)}))"
SENT: Final = (
    f"sum by (reporter,{_ENDS},connection_security_policy) (rate(istio_tcp_sent_bytes_total[{{w}}s]))"
)
OPENED: Final = (
    f"sum by (reporter,{_ENDS},connection_security_policy) (rate(istio_tcp_connections_opened_total[{{w}}s]))"
)
RETRIES: Final = f"sum by ({_CLUSTER}) " + "(rate(envoy_cluster_upstream_rq_retry[{w}s]))"
REFUSED: Final = f"sum by ({_CLUSTER}) " + "(rate(envoy_cluster_upstream_rq_pending_overflow[{w}s]))"
OPEN: Final = f"max by ({_CLUSTER}) (envoy_cluster_circuit_breakers_default_rq_open)"
PENDING_OPEN: Final = f"max by ({_CLUSTER}) (envoy_cluster_circuit_breakers_default_rq_pending_open)"
EJECTED: Final = f"max by ({_CLUSTER}) (envoy_cluster_outlier_detection_ejections_active)"

QUANTILES: Final = (0.5, 0.95, 0.99)

#: Of the whole mesh, for the strip below the graph: requests a second that end well, and those that do not.
GOOD: Final = 'sum(rate(istio_requests_total{{reporter="source",response_code!~"5..",grpc_response_status=~"0|"}}[{w}s]))'
ALL: Final = 'sum(rate(istio_requests_total{{reporter="source"}}[{w}s]))'


def written(query: str, window: float, quantile: float = 0.0) -> str:
    """With its window, and its quantile where it has one."""
    return query.format(w=f"{window:g}", q=f"{quantile:g}")


def shares(namespace: str, service: str, window: float) -> str:
    """Calls a second to each workload of a service, all callers together. Names are such as Kubernetes allows."""
    chosen = (
        f'reporter="source",destination_service_namespace="{namespace}",destination_service_name="{service}"'
    )
    return f"sum by (destination_workload) (rate(istio_requests_total{{{chosen}}}[{window:g}s]))"
