"""A cluster as a request meets it: its endpoints, how they are spoken to, and what holds it back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from envoy.config.cluster.v3.cluster_pb2 import Cluster as EnvoyCluster
from envoy.config.core.v3.health_check_pb2 import HealthStatus
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import UpstreamTlsContext

from mesh.envoy.snapshot import Snapshot
from mesh.simulate.trace import Cluster, Endpoint, Limits, Outlier, Tls

_UNLIMITED: Final = 2**32 - 1
_MATCH: Final = "envoy.transport_socket_match"
_CONNECT: Final = 5.0
_ASKED: Final = (HealthStatus.UNKNOWN, HealthStatus.HEALTHY, HealthStatus.DEGRADED)


def found(resources: Snapshot, name: str) -> Cluster | None:
    """None when the proxy does not have it."""
    cluster: Any = resources.clusters.get(name)
    if cluster is None:
        return None
    connect = (
        cluster.connect_timeout.ToTimedelta().total_seconds()
        if cluster.HasField("connect_timeout")
        else _CONNECT
    )
    return Cluster(
        name,
        tuple(_endpoints(resources, cluster)),
        istio(cluster.metadata).get("config", ""),
        connect,
        _limits(cluster),
        _outlier(cluster),
        Endpoint("", 0, _tls(cluster, None)) if cluster.type == EnvoyCluster.ORIGINAL_DST else None,
    )


def istio(metadata: Any) -> dict[str, str]:
    """What istiod says of a resource, as far as it is text."""
    fields = metadata.filter_metadata["istio"].fields if "istio" in metadata.filter_metadata else {}
    return {name: value.string_value for name, value in fields.items() if value.HasField("string_value")}


def _tls(cluster: Any, endpoint: Any | None) -> Tls | None:
    """How an LbEndpoint (None: any address) is spoken to; None in plaintext."""
    socket = cluster.transport_socket if cluster.HasField("transport_socket") else None
    if cluster.transport_socket_matches:
        given = endpoint.metadata.filter_metadata if endpoint is not None else {}
        mine = dict(given[_MATCH].fields) if _MATCH in given else {}
        fitting = (m for m in cluster.transport_socket_matches if _fits(m.match.fields, mine))
        socket = next((m.transport_socket for m in fitting), socket)
    if socket is None or not socket.typed_config.Is(UpstreamTlsContext.DESCRIPTOR):
        return None
    context = UpstreamTlsContext()
    socket.typed_config.Unpack(context)
    common = context.common_tls_context
    own = bool(common.tls_certificate_sds_secret_configs or common.tls_certificates)
    return Tls(context.sni, tuple(common.alpn_protocols), own, tuple(_names(common)))


def _names(common: Any) -> Iterator[Any]:
    """Whom the server's certificate must name."""
    combined = common.WhichOneof("validation_context_type") == "combined_validation_context"
    context = (
        common.combined_validation_context.default_validation_context
        if combined
        else common.validation_context
    )
    yield from context.match_subject_alt_names
    yield from (each.matcher for each in context.match_typed_subject_alt_names)


def _lb_endpoints(resources: Snapshot, cluster: Any) -> Iterator[tuple[Any, int]]:
    """(LbEndpoint, priority) of a cluster, from EDS or its own."""
    learnt: Any = resources.endpoints.get(cluster.eds_cluster_config.service_name or cluster.name)
    assignment = (
        learnt if learnt is not None and cluster.type == EnvoyCluster.EDS else cluster.load_assignment
    )
    for group in assignment.endpoints:
        for each in group.lb_endpoints:
            yield each, group.priority


def _endpoints(resources: Snapshot, cluster: Any) -> Iterator[Endpoint]:
    """Where an endpoint is a Unix socket, its address is the path."""
    for each, priority in _lb_endpoints(resources, cluster):
        given = each.endpoint.address
        address = given.socket_address.address or given.pipe.path
        weight = each.load_balancing_weight.value or 1
        healthy = each.health_status in _ASKED
        yield Endpoint(
            address, given.socket_address.port_value, _tls(cluster, each), healthy, weight, priority
        )


def _fits(wanted: Any, given: dict[str, Any]) -> bool:
    return all(name in given and given[name] == value for name, value in wanted.items())


def _limits(cluster: Any) -> Limits:
    for each in cluster.circuit_breakers.thresholds:
        numbers = (each.max_connections, each.max_pending_requests, each.max_requests, each.max_retries)
        limited = [n.value if n.value and n.value != _UNLIMITED else None for n in numbers]
        return Limits(*limited)
    return Limits()


def _outlier(cluster: Any) -> Outlier | None:
    given = cluster.outlier_detection
    if not cluster.HasField("outlier_detection"):
        return None
    return Outlier(
        _enforced(given, "consecutive_5xx", "enforcing_consecutive_5xx", 5, 100),
        _enforced(given, "consecutive_gateway_failure", "enforcing_consecutive_gateway_failure", 5, 0),
        given.base_ejection_time.ToTimedelta().total_seconds()
        if given.HasField("base_ejection_time")
        else 30.0,
        given.max_ejection_percent.value if given.HasField("max_ejection_percent") else 10,
    )


def _enforced(given: Any, count: str, enforcing: str, by_default: int, share: int) -> int | None:
    """Errors in a row that eject; None when they do not. Without a word Envoy counts to five."""
    enforced = getattr(given, enforcing).value if given.HasField(enforcing) else share
    errors: int = getattr(given, count).value if given.HasField(count) else by_default
    return errors if enforced and errors else None
