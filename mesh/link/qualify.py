"""Istio specs with every host and gateway fully qualified, as istiod reads them. Only names change."""

from __future__ import annotations

from dataclasses import replace

from mesh.link.hosts import MESH_GATEWAY, gateway_name, qualified
from mesh.resources.istio.destinationrule import DestinationRuleSpec
from mesh.resources.istio.l4route import L4Destination, TCPRoute, TLSRoute
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import HTTPRoute, VirtualServiceSpec
from mesh.resources.object import Object


def destination_rule(each: Object[DestinationRuleSpec]) -> DestinationRuleSpec:
    return replace(each.spec, host=qualified(each.spec.host, each.metadata.namespace))


def virtual_service(each: Object[VirtualServiceSpec]) -> VirtualServiceSpec:
    """Gateways are ``namespace/name``, or ``mesh``, which also stands for none."""
    namespace, spec = each.metadata.namespace, each.spec
    return replace(
        spec,
        hosts=tuple(qualified(h, namespace) for h in spec.hosts),
        gateways=gateways(spec.gateways, namespace) or (MESH_GATEWAY,),
        http=tuple(_http(r, namespace) for r in spec.http),
        tls=tuple(_tls(r, namespace) for r in spec.tls),
        tcp=tuple(_tcp(r, namespace) for r in spec.tcp),
    )


def gateways(names: tuple[str, ...], namespace: str) -> tuple[str, ...]:
    return tuple(gateway_name(name, namespace) for name in names)


def destination(given: Destination, namespace: str) -> Destination:
    return replace(given, host=qualified(given.host, namespace))


def _http(route: HTTPRoute, namespace: str) -> HTTPRoute:
    return replace(
        route,
        match=tuple(replace(m, gateways=gateways(m.gateways, namespace)) for m in route.match),
        route=tuple(replace(r, destination=destination(r.destination, namespace)) for r in route.route),
        mirror=destination(route.mirror, namespace) if route.mirror else None,
        mirrors=tuple(replace(m, destination=destination(m.destination, namespace)) for m in route.mirrors),
    )


def _tls(route: TLSRoute, namespace: str) -> TLSRoute:
    match = tuple(replace(m, gateways=gateways(m.gateways, namespace)) for m in route.match)
    return replace(route, match=match, route=_l4(route.route, namespace))


def _tcp(route: TCPRoute, namespace: str) -> TCPRoute:
    match = tuple(replace(m, gateways=gateways(m.gateways, namespace)) for m in route.match)
    return replace(route, match=match, route=_l4(route.route, namespace))


def _l4(route: tuple[L4Destination, ...], namespace: str) -> tuple[L4Destination, ...]:
    return tuple(replace(r, destination=destination(r.destination, namespace)) for r in route)
