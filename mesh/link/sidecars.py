"""Sidecars: what istiod refuses, and hosts that do not exist."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import connectionpool, egress, ingress, selectors
from mesh.link.hosts import is_label, is_listed_host
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
    yield from ingress.invalid(at / "ingress", given.ingress)
    yield from connectionpool.invalid(at / "inboundConnectionPool", given.inbound_connection_pool)
    for i, listener in enumerate(given.egress):
        if not listener.hosts:
            yield (at / "egress" / i / "hosts").problem(
                "MW0306", "this listener has no hosts", 'give hosts: ["./*"]'
            )
        if listener.port is None and i < len(given.egress) - 1:
            text = "a listener without a port takes everything, so that the ones after it have nothing to do"
            yield (at / "egress" / i).problem("MW0302", text, "put their hosts into one list")
        yield from egress.invalid(at / "egress" / i, listener)
        for j, host in enumerate(listener.hosts):
            yield from _host(at / "egress" / i / "hosts" / j, host)


def _host(at: Spot, host: str) -> Iterator[Problem]:
    namespace, slash, name = host.partition("/")
    namespace = namespace.removeprefix("~")
    known = namespace in ("*", ".") or is_label(namespace) or host.startswith("~/")
    if not slash or not known or not is_listed_host(name):
        text = f"{host!r} must be NAMESPACE/HOST"
        yield at.problem("MW0310", text, "as in ./*, */* or shop/catalog.shop.svc.cluster.local")


def misdirected(each: Object[SidecarSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, a host that is not there."""
    at = spec(each)
    yield from selectors.idle(at / "workloadSelector", each.spec.workload_selector, names)
    for i, listener in enumerate(each.spec.egress):
        for j, host in enumerate(listener.hosts):
            namespace, _, name = host.partition("/")
            if "*" in name or namespace.startswith("~"):
                continue
            service, wanted = names.hosts.get(name), at.namespace if namespace == "." else namespace
            if service is None or wanted not in ("*", service.namespace):
                where = "the mesh" if wanted == "*" else wanted
                text = f"egress host {name} is not a service of {where}"
                fix = f"as in {service.namespace}/{name}" if service else names.closest_host(name)
                yield (at / "egress" / i / "hosts" / j).problem("MW0208", text, fix)
