"""What a request is hashed by, when its DestinationRule balances by hash.

Source: istiod's hashForService, HashForHTTPDestination and ConsistentHashToHashPolicy.
"""

from __future__ import annotations

from envoy.config.route.v3.route_components_pb2 import RouteAction

from mesh.compile.rules import Rule
from mesh.compile.traffic import find_subset
from mesh.resources.istio.destinationrule import ConsistentHash, LoadBalancer, TrafficPolicy
from mesh.resources.istio.shared import Destination


def for_service(rule: Rule | None, port: int) -> ConsistentHash | None:
    """For requests to a port without a VirtualService."""
    policy = rule.spec.traffic_policy if rule else None
    return _of_port(policy, port) or _of(policy.load_balancer if policy else None)


def for_destination(rule: Rule | None, destination: Destination) -> ConsistentHash | None:
    """For a VirtualService's destination: by subset and port, subset, port, else the whole rule."""
    if rule is None:
        return None
    whole = rule.spec.traffic_policy
    found = find_subset(rule.spec, destination.subset)
    subset = found.traffic_policy if found else None
    port = destination.port.number if destination.port else None
    return (
        _of_port(subset, port)
        or _of(subset.load_balancer if subset else None)
        or _of_port(whole, port)
        or _of(whole.load_balancer if whole else None)
    )


def hash_policy(given: ConsistentHash | None) -> list[RouteAction.HashPolicy]:
    if given is None:
        return []
    if given.http_header_name:
        return [RouteAction.HashPolicy(header={"header_name": given.http_header_name})]
    if given.http_cookie is not None:
        cookie = given.http_cookie
        said = {"ttl": cookie.ttl} if cookie.ttl is not None else {}
        attributes = [{"name": each.name, "value": each.value} for each in cookie.attributes]
        made = {"name": cookie.name, "path": cookie.path, "attributes": attributes, **said}
        return [RouteAction.HashPolicy(cookie=made)]
    if given.use_source_ip:
        return [RouteAction.HashPolicy(connection_properties={"source_ip": True})]
    if given.http_query_parameter_name:
        return [RouteAction.HashPolicy(query_parameter={"name": given.http_query_parameter_name})]
    return []


def _of(balancer: LoadBalancer | None) -> ConsistentHash | None:
    return balancer.consistent_hash if balancer else None


def _of_port(policy: TrafficPolicy | None, port: int | None) -> ConsistentHash | None:
    for each in policy.port_level_settings if policy else ():
        if each.port.number == port:
            return _of(each.load_balancer)
    return None
