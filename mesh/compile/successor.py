"""A Compiler for the next state of a mesh, with what the last one has made as far as the change leaves it as it is.

Three kinds of change are followed, since they are the ones that come all day: VirtualServices that send elsewhere, or in other shares, or give
up later; endpoints that come and go; AuthorizationPolicies. After any other everything is compiled anew. Used by local's publisher: a change
costs what it touches. What comes out is the same either way (tests/pure/compile/test_successor.py).
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from mesh.compile.compiler import Compiler
from mesh.compile.scope import Egress, Scope
from mesh.model.mesh import Config, Mesh, Placement
from mesh.model.service import Kind, Service, Workload
from mesh.resources.istio.security import AuthorizationPolicySpec
from mesh.resources.istio.virtualservice import HTTPRoute, RouteDestination, VirtualServiceSpec

Policy = Config[AuthorizationPolicySpec]
#: What of a Compiler's memo is made of a Scope's routes and hosts, by a Scope's identity.
_OF_SCOPE: Final = frozenset({"outbound", "virtual", "routes", "hosts"})
#: What is made of the policies of a workload and of those like it.
_OF_POLICIES: Final = frozenset({"authorization", "inbound"})
_FOLLOWED: Final = frozenset({"virtual_services", "services", "workloads", "authorization_policies"})


class _TooMuch(Exception):
    """The change is of a kind that is not followed."""


@dataclass(frozen=True)
class Change:
    """By the identity of what there was, what there is now; and policies that there were or are."""

    routes: Mapping[int, Config[VirtualServiceSpec]]
    services: Mapping[int, Service]
    policies: Sequence[Policy]


def succeed(
    before: Compiler | None, mesh: Mesh, placement: Placement
) -> tuple[Compiler, tuple[Workload, ...]]:
    """The Compiler of ``mesh``, and the workloads whose configuration may be another than it was; all of them when nothing is known."""
    if before is None or before.placement != placement:
        return Compiler(mesh, placement), mesh.workloads
    try:
        change = _change(before.mesh, mesh)
        scopes = before.scopes.followed(mesh, lambda scope: _followed(scope, change))
    except _TooMuch:
        return Compiler(mesh, placement), mesh.workloads
    pairs = [(before.scopes.of(w), scopes.of(w)) for w in mesh.workloads]
    moved = {w.key for w, (old, new) in zip(mesh.workloads, pairs, strict=True) if old is not new}
    judged = [w for w in mesh.workloads if any(_selects(policy, w, mesh) for policy in change.policies)]
    stale = {before.alike(w) for w in judged}
    after = {id(old): new for old, new in pairs if old is not new}
    memo = dict(_kept(before.memo, change, after, stale))
    keys = moved | {w.key for w in judged}
    routers = change.routes or change.services
    affected = (w for w in mesh.workloads if w.key in keys or (routers and w.kind is Kind.ROUTER))
    return Compiler(mesh, placement, scopes, memo), tuple(affected)


def _change(before: Mesh, after: Mesh) -> Change:
    """Raises _TooMuch."""
    for field in fields(Mesh):
        if field.name not in _FOLLOWED and not _same(getattr(before, field.name), getattr(after, field.name)):
            raise _TooMuch
    if not all(map(_same_workload, before.workloads, after.workloads)) or len(before.workloads) != len(
        after.workloads
    ):
        raise _TooMuch
    old, new = set(map(id, before.authorization_policies)), set(map(id, after.authorization_policies))
    policies = [p for p in before.authorization_policies if id(p) not in new]
    policies += [p for p in after.authorization_policies if id(p) not in old]
    if any(p.spec.target_ref or p.spec.target_refs for p in policies):
        raise _TooMuch
    routes = dict(_replaced(before.virtual_services, after.virtual_services, _same_reach))
    services = dict(_replaced(before.services, after.services, _same_but_for_endpoints))
    return Change(routes, services, policies)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, tuple):
        return len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True))
    return bool(one == other)


def _same_workload(one: Workload, other: Workload) -> bool:
    return one is other or replace(one, ready=True) == replace(other, ready=True)


def _replaced(before: Sequence[Any], after: Sequence[Any], alike: Any) -> Iterator[tuple[int, Any]]:
    if len(before) != len(after):
        raise _TooMuch
    for old, new in zip(before, after, strict=True):
        if old is not new:
            if not alike(old, new):
                raise _TooMuch
            yield id(old), new


def _same_reach(old: Config[VirtualServiceSpec], new: Config[VirtualServiceSpec]) -> bool:
    """Whether two states of a VirtualService match the same requests and lead to the same hosts, whatever happens to the requests there."""
    return (old.namespace, old.name, _reach(old.spec)) == (new.namespace, new.name, _reach(new.spec))


def _reach(spec: VirtualServiceSpec) -> VirtualServiceSpec:
    return replace(spec, http=tuple(map(_plain, spec.http)))


def _plain(route: HTTPRoute) -> HTTPRoute:
    """Where a route leads, and of which requests."""
    targets = tuple(RouteDestination(replace(each.destination, subset="")) for each in route.route)
    mirrors = tuple(replace(each, percentage=None) for each in route.mirrors)
    return HTTPRoute(
        match=route.match, route=targets, mirror=route.mirror, mirrors=mirrors, delegate=route.delegate
    )


def _same_but_for_endpoints(old: Service, new: Service) -> bool:
    """Of a service that has an address; who asks for a headless one is told its endpoints."""
    return bool(old.addresses) and replace(old, endpoints=()) == replace(new, endpoints=())


def _selects(policy: Policy, workload: Workload, mesh: Mesh) -> bool:
    if policy.namespace not in (workload.namespace, mesh.config.root_namespace):
        return False
    return policy.spec.selector is None or policy.spec.selector.selects(workload.labels)


def _followed(scope: Scope, change: Change) -> Scope:
    """The Scope after the change: the very same when nothing of it has changed."""
    services = _swapped(scope.services, change.services)
    egress = tuple(_followed_egress(each, change) for each in scope.egress)
    if services is scope.services and all(a is b for a, b in zip(egress, scope.egress, strict=True)):
        return scope
    return replace(scope, services=services, egress=egress)


def _followed_egress(egress: Egress, change: Change) -> Egress:
    services = _swapped(egress.services, change.services)
    routes = _swapped(egress.virtual_services, change.routes)
    if services is egress.services and routes is egress.virtual_services:
        return egress
    return replace(egress, services=services, virtual_services=routes)


def _swapped(parts: tuple[Any, ...], after: Mapping[int, Any]) -> tuple[Any, ...]:
    """A copy of a changed part, as a service with some of its ports, is not followed."""
    if not after:
        return parts
    found = tuple(after.get(id(each), each) for each in parts)
    names = {(new.name, new.namespace): new for new in after.values()}
    if any((new := names.get((each.name, each.namespace))) is not None and new is not each for each in found):
        raise _TooMuch
    return parts if all(a is b for a, b in zip(parts, found, strict=True)) else found


def _kept(
    memo: Mapping[Hashable, Any], change: Change, after: Mapping[int, Scope], stale: set[Hashable]
) -> Iterator[tuple[Hashable, Any]]:
    """What still holds. Of a Scope in which only endpoints have changed, routes and listeners are its successor's."""
    hosts = {(each.hostname, each.namespace) for each in change.services.values()}
    for key, value in memo.items():
        assert isinstance(key, tuple)
        kind, first = key[0], key[1]
        if kind in _OF_SCOPE and first in after:
            if not change.routes:
                yield (kind, id(after[first]), *key[2:]), value
        elif kind == "reached" and (first, key[2]) in hosts:
            continue
        elif not (kind == "gateways" or (kind in _OF_POLICIES and first in stale)):
            yield key, value
