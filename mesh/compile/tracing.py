"""What a proxy tells of each request in a span: to whom, how often, and about itself.

Source: pilot/pkg/networking/core/tracing.go; the providers' own configuration is in ``tracer``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from mesh.compile import tracer
from mesh.compile.lookup import Unknown
from mesh.compile.telemetry import Direction, Spans, Telemetry
from mesh.model.service import Service, Workload
from mesh.resources.istio.proxyconfig import ProxyTracing
from mesh.resources.istio.telemetry import CustomTag

#: Per cent of the requests that no caller has decided about.
_SAMPLED = 1.0
_MOST = 100.0


def service_labels(workload: Workload) -> tuple[str, str]:
    """Canonical service and revision, by which a proxy's spans and metrics are grouped."""
    name = workload.labels.get("service.istio.io/canonical-name") or "unknown"
    return name, workload.labels.get("service.istio.io/canonical-revision") or "latest"


def tracing(
    telemetry: Telemetry,
    workload: Workload,
    direction: Direction,
    services: Sequence[Service],
    observatory: str = "",
) -> tuple[HttpConnectionManager.Tracing | None, bool]:
    """None when nothing is traced; and whether a request's id says whether it is sampled.

    Where there is an ``observatory``, the name of a cluster, it stands for every provider, and all requests are sampled that no
    Telemetry decides about.
    """
    defaults = telemetry.config.default_config.tracing
    spans = telemetry.spans(direction)
    if observatory:
        return _observed(spans or Spans(), workload, defaults, observatory)
    if spans is None:
        if not telemetry.config.enable_tracing:
            return None, True
        given = defaults.custom_tags.items()
        istio = defaults.enable_istio_tags is not False
        return _tracing(workload, defaults, _sampling(defaults), istio, given), True
    if spans.disabled or spans.provider is None:
        return None, True
    try:
        made = tracer.tracer(spans.provider, workload, services)
    except Unknown:
        return None, True
    if made is None:
        return None, True
    sampling = spans.sampling if spans.sampling is not None else _sampling(defaults)
    tags = spans.tags or defaults.custom_tags.items()
    found = _tracing(workload, defaults, sampling, spans.istio_tags, tags)
    found.MergeFrom(made)
    return found, spans.by_request_id


def _observed(
    spans: Spans, workload: Workload, defaults: ProxyTracing, cluster: str
) -> tuple[HttpConnectionManager.Tracing | None, bool]:
    if spans.disabled:
        return None, True
    sampling = spans.sampling if spans.sampling is not None else defaults.sampling or _MOST
    tags = spans.tags or defaults.custom_tags.items()
    found = _tracing(workload, defaults, sampling, spans.istio_tags, tags)
    found.MergeFrom(tracer.observatory(cluster, workload))
    return found, spans.by_request_id


def _tracing(
    workload: Workload,
    defaults: ProxyTracing,
    sampling: float,
    istio: bool,
    tags: Iterable[tuple[str, CustomTag]],
) -> HttpConnectionManager.Tracing:
    own = [*_literals(workload), *_dry_runs()] if istio else []
    found = sorted([*own, *(_custom(*each) for each in tags)], key=lambda tag: str(tag["tag"]))
    longest = defaults.max_path_tag_length
    return HttpConnectionManager.Tracing(
        client_sampling={"value": 100},
        random_sampling={"value": sampling},
        overall_sampling={"value": 100},
        custom_tags=found,
        max_path_tag_length={"value": longest} if longest else None,
    )


def _sampling(defaults: ProxyTracing) -> float:
    if not defaults.sampling:
        return _SAMPLED
    return defaults.sampling if defaults.sampling <= _MOST else 1.0


def _literals(workload: Workload) -> Iterator[dict[str, Any]]:
    service, revision = service_labels(workload)
    values = {
        "canonical_revision": revision,
        "canonical_service": service,
        "cluster_id": "Kubernetes",
        "mesh_id": "unknown",
        "namespace": workload.namespace,
    }
    for name, value in values.items():
        yield {"tag": f"istio.{name}", "literal": {"value": value}}


def _custom(name: str, given: CustomTag) -> dict[str, Any]:
    if given.literal:
        return {"tag": name, "literal": {"value": given.literal.value}}
    if given.environment:
        said = given.environment
        return {"tag": name, "environment": {"name": said.name, "default_value": said.default_value}}
    if given.header:
        said = given.header
        return {"tag": name, "request_header": {"name": said.name, "default_value": said.default_value}}
    return {"tag": name, "value": given.formatter.value if given.formatter else ""}


def _dry_runs() -> Iterator[dict[str, Any]]:
    """What a policy that is only tried out would have decided."""
    for action in ("allow", "deny"):
        for name, result in (("name", "effective_policy_id"), ("result", "engine_result")):
            key = f"istio_dry_run_{action}_shadow_{result}"
            yield {
                "tag": f"istio.authorization.dry_run.{action}_policy.{name}",
                "metadata": {
                    "kind": {"request": {}},
                    "metadata_key": {"key": "envoy.filters.http.rbac", "path": [{"key": key}]},
                },
            }
