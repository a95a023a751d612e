"""Endpoints: the addresses behind a cluster, and whether each speaks mutual TLS.

Source: pilot/pkg/xds/endpoints/endpoint_builder.go and mtls_checker.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envoy.config.core.v3.base_pb2 import Locality
from envoy.config.core.v3.health_check_pb2 import HEALTHY, UNHEALTHY, UNKNOWN
from envoy.config.endpoint.v3.endpoint_components_pb2 import LbEndpoint, LocalityLbEndpoints
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment

from mesh.compile.cluster import Target
from mesh.compile.traffic import find_subset, for_subset, tls_mode
from mesh.envoy.address import LOOPBACK, address
from mesh.envoy.metadata import metadata
from mesh.link.hosts import is_address
from mesh.model.mesh import Placement
from mesh.model.peer import PeerPolicies
from mesh.model.service import NAMELESS, Endpoint, Port
from mesh.resources.istio.destinationrule import TLSMode
from mesh.resources.istio.security import MutualTLS

_CLUSTER_ID = "Kubernetes"
_NAMES = ("service.istio.io/canonical-name", "app.kubernetes.io/name", "app")
_REVISIONS = ("service.istio.io/canonical-revision", "app.kubernetes.io/version", "version")


def assignment(
    target: Target, port: Port, subset: str, peers: PeerPolicies, placement: Placement, names: bool = False
) -> ClusterLoadAssignment:
    """The endpoints of one cluster, grouped by locality; with ``names`` also those that are no addresses."""
    spec = target.rule.spec if target.rule else None
    mode = tls_mode(spec, subset, port.number)
    unready = not _minimum_health(target, subset, port)
    by_locality: dict[str, list[LbEndpoint]] = {}
    for each in _behind(target, port, subset):
        found = names or not each.port or is_address(each.address)
        if found and (each.ready or unready):
            group = by_locality.setdefault(each.locality, [])
            secured = _secured(each, mode, peers)
            if secured or not target.passed:
                group.append(_endpoint(each, secured, placement))
    groups = [_group(locality, by_locality[locality]) for locality in sorted(by_locality)]
    name = target.named(port.number, subset)
    return ClusterLoadAssignment(cluster_name=name, endpoints=groups)


def _behind(target: Target, port: Port, subset: str) -> Iterable[Endpoint]:
    found = find_subset(target.rule.spec, subset) if target.rule else None
    wanted: Mapping[str, str] = found.labels if found else {}
    for each in target.service.endpoints:
        labelled = all(each.labels.get(key) == value for key, value in wanted.items())
        if each.service_port == port.name and labelled:
            yield each


def _minimum_health(target: Target, subset: str, port: Port) -> bool:
    """A rule that needs a share of healthy endpoints cannot count on ones that are not ready."""
    spec = target.rule.spec if target.rule else None
    found = find_subset(spec, subset)
    policy = for_subset(
        spec.traffic_policy if spec else None, found.traffic_policy if found else None, port.number
    )
    outlier = policy.outlier_detection if policy else None
    return outlier is not None and outlier.min_health_percent > 0


def _secured(each: Endpoint, mode: TLSMode | None, peers: PeerPolicies) -> bool:
    if mode is not None:
        return mode is TLSMode.ISTIO_MUTUAL
    namespace = each.workload.namespace if each.workload else each.entry[0] if each.entry else ""
    if not each.tls or not namespace:
        return False
    peer = peers.for_workload(namespace, each.labels)
    return peer.for_port(each.port) is not MutualTLS.DISABLE


def _endpoint(each: Endpoint, secured: bool, placement: Placement) -> LbEndpoint:
    # Only an endpoint whose own label says so is named as speaking it, whatever a rule asks for.
    spoken = {"tlsMode": "istio"} if secured and each.tls else {}
    described = {"workload": _described(each)} if each.workload or each.entry else {}
    return LbEndpoint(
        endpoint={"address": address(*_address(each, placement))},
        health_status=_health(each),
        metadata=metadata(**{"envoy.transport_socket_match": spoken, "istio": described}),
        load_balancing_weight={"value": each.weight},
    )


def _health(each: Endpoint) -> int:
    """Nobody looks after what a ServiceEntry or WorkloadEntry says."""
    if each.workload is None and each.entry != NAMELESS:
        return int(UNKNOWN)
    return int(HEALTHY if each.ready else UNHEALTHY)


def _address(each: Endpoint, placement: Placement) -> tuple[str, int]:
    """On one machine an endpoint is its sidecar's port on the loopback interface."""
    if not placement.local or each.workload is None:
        return each.address, each.port
    return LOOPBACK, placement.inbound.get((each.workload.key, each.port), each.port)


def _described(each: Endpoint) -> str:
    """``NAME;NAMESPACE;CANONICAL NAME;REVISION;CLUSTER``, which the other proxy's telemetry reads.

    The canonical name and revision are by label (istio pkg/kube/labels CanonicalService); revision ``latest`` is left empty.
    """
    namespace, own = each.workload.key if each.workload else each.entry or ("", "")
    name = _label(each.labels, _NAMES) or own
    revision = _label(each.labels, _REVISIONS)
    shown = "" if revision == "latest" else revision
    return f"{own};{namespace};{name};{shown};{_CLUSTER_ID}"


def _label(labels: Mapping[str, str], keys: Iterable[str]) -> str:
    return next((labels[key] for key in keys if labels.get(key)), "")


def _group(locality: str, endpoints: list[LbEndpoint]) -> LocalityLbEndpoints:
    region, _, rest = locality.partition("/")
    zone, _, sub_zone = rest.partition("/")
    weight = sum(each.load_balancing_weight.value for each in endpoints)
    return LocalityLbEndpoints(
        locality=Locality(region=region, zone=zone, sub_zone=sub_zone),
        lb_endpoints=endpoints,
        load_balancing_weight={"value": weight} if endpoints else None,
    )
