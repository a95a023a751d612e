"""PeerAuthentications: what istiod refuses, and selectors that find nothing."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import selectors
from mesh.link.names import Names
from mesh.link.spot import spec
from mesh.resources.istio.security import PeerAuthenticationSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid(each: Object[PeerAuthenticationSpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidatePeerAuthentication."""
    at, selector = spec(each), each.spec.selector
    yield from selectors.invalid(at / "selector", selector, "matchLabels")
    if each.spec.port_level_mtls and (selector is None or not selectors.labels(selector)):
        text = "portLevelMtls needs a selector: a port's number says nothing about a whole namespace"
        yield (at / "portLevelMtls").problem("MW0401", text, "say which workloads have this port")
    for port in each.spec.port_level_mtls:
        if not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
            fix = "use the workload's own port number"
            yield (at / "portLevelMtls" / port).problem("MW0401", f"{port!r} is not a port", fix)


def misdirected(each: Object[PeerAuthenticationSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, a port that no Service sends calls to."""
    selector = each.spec.selector
    yield from selectors.idle(spec(each) / "selector", selector, names)
    chosen = names.pods.selected(each.metadata.namespace, selectors.labels(selector)) if selector else []
    ports = {str(port) for workload in chosen for port in names.behind(workload)}
    for port in each.spec.port_level_mtls if chosen else ():
        if port not in ports:
            text = f"no Service sends calls to port {port} of these workloads"
            fix = f"it is the pod's port; they have: {', '.join(sorted(ports)) or 'none'}"
            yield (spec(each) / "portLevelMtls" / port).problem("MW0206", text, fix)
