"""Sidecars: what istiod refuses, and hosts that do not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import selectors
from mesh.link.hosts import is_domain, is_label
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.istio.network import SidecarSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid(each: Object[SidecarSpec]) -> Iterator[Problem]:
    """What istiod refuses. Source: istio validation.go, ValidateSidecar."""
    at, given = spec(each), each.spec
    yield from selectors.invalid(at / "workloadSelector", given.workload_selector, "labels")
    if given == SidecarSpec(workload_selector=given.workload_selector):
        yield at.problem("MW0302", "this Sidecar says nothing", "give egress with hosts")
    for i, listener in enumerate(given.egress):
        if not listener.hosts:
            yield (at / "egress" / i / "hosts").problem(
                "MW0306", "this listener has no hosts", 'give hosts: ["./*"]'
            )
        if listener.port is None and i < len(given.egress) - 1:
            text = "a listener without a port takes everything, so that the ones after it have nothing to do"
            yield (at / "egress" / i).problem("MW0302", text, "put their hosts into one list")
        for j, host in enumerate(listener.hosts):
            yield from _host(at / "egress" / i / "hosts" / j, host)


def _host(at: Spot, host: str) -> Iterator[Problem]:
    namespace, slash, name = host.partition("/")
    namespace = namespace.removeprefix("~")
    if not slash or not is_domain(name) or (namespace not in ("", "*", ".") and not is_label(namespace)):
        text = f"{host!r} must be NAMESPACE/HOST"
        yield at.problem("MW0310", text, "as in ./*, */* or shop/catalog.shop.svc.cluster.local")


def misdirected(each: Object[SidecarSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, a host that is not there."""
    at = spec(each)
    yield from selectors.idle(at / "workloadSelector", each.spec.workload_selector, names)
    for i, listener in enumerate(each.spec.egress):
        for j, host in enumerate(listener.hosts):
            name = host.partition("/")[2]
            if is_domain(name) and "*" not in name and not host.startswith("~") and not names.has_host(name):
                text = f"egress host {name} is not a service of the mesh"
                yield (at / "egress" / i / "hosts" / j).problem("MW0208", text, names.closest_host(name))
