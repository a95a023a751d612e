"""A VirtualService's routes of TCP and TLS connections: what istiod refuses. Source: istio validation.go, validateTCPRoute, validateTLSRoute."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Sequence

from mesh.link.hosts import is_address, is_domain, matches
from mesh.link.spot import Spot
from mesh.link.target import destination
from mesh.resources.istio.l4route import L4Destination, L4Match, TCPRoute, TLSMatch, TLSRoute
from mesh.resources.problem import Problem


def tcp(at: Spot, route: TCPRoute) -> Iterator[Problem]:
    """The route at ``at``."""
    for i, match in enumerate(route.match):
        yield from _match(at / "match" / i, match)
        if match.source_subnet:
            text = "Istio ignores sourceSubnet"
            yield (at / "match" / i / "sourceSubnet").problem("MW0106", text, "use sourceLabels")
    yield from _targets(at / "route", route.route)


def tls(at: Spot, route: TLSRoute, hosts: Sequence[str]) -> Iterator[Problem]:
    """The route at ``at`` of a VirtualService of ``hosts``."""
    if not route.match:
        yield at.problem("MW0302", "a TLS route needs a match", "give match with sniHosts")
    for i, match in enumerate(route.match):
        yield from _match(at / "match" / i, match)
        yield from _names(at / "match" / i / "sniHosts", match.sni_hosts, hosts)
    yield from _targets(at / "route", route.route)


def _match(at: Spot, match: L4Match | TLSMatch) -> Iterator[Problem]:
    for i, subnet in enumerate(match.destination_subnets):
        if not _is_subnet(subnet):
            text = f"{subnet!r} is not an address or subnet"
            yield (at / "destinationSubnets" / i).problem("MW0310", text, "as in 10.0.0.0/8")
    if match.port and not 0 < match.port < 65536:
        yield (at / "port").problem("MW0304", f"{match.port} is not a port", "use 1 to 65535")


def _names(at: Spot, names: Sequence[str], hosts: Sequence[str]) -> Iterator[Problem]:
    if not names:
        yield at.problem("MW0306", "this match names no server", "give sniHosts")
    for i, name in enumerate(names):
        if is_address(name):
            continue
        if not is_domain(name) and name != "*":
            yield (at / i).problem("MW0310", f"{name!r} is not a host name", "as in db.example.com")
        elif not any(matches(name, host) for host in hosts):
            text = f"{name!r} is none of the hosts of this VirtualService"
            yield (at / i).problem("MW0302", text, f"the hosts are: {', '.join(hosts)}")


def _targets(at: Spot, targets: Sequence[L4Destination]) -> Iterator[Problem]:
    if not targets:
        yield at.problem("MW0302", "this route goes nowhere", "give route with a destination")
    for i, target in enumerate(targets):
        yield from destination(at / i / "destination", target.destination)
    if len(targets) > 1 and not any(target.weight for target in targets):
        text = "the weights add up to 0, so that nothing is sent anywhere"
        yield at.problem("MW0301", text, "add up to 100")


def _is_subnet(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True
