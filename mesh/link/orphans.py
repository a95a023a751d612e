"""Delegates that do not exist, and VirtualServices without hosts that nobody delegates to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mesh.link.delegates import Key, key
from mesh.link.names import told
from mesh.link.spot import spec
from mesh.resources.istio.virtualservice import VirtualServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def orphans(objects: Sequence[Object[Any]]) -> Iterator[Problem]:
    """Among all that can be part of a mesh."""
    found = [each for each in objects if isinstance(each.spec, VirtualServiceSpec)]
    without = {(each.metadata.namespace, each.metadata.name): each for each in found if not each.spec.hosts}
    named: set[Key] = set()
    for each in found:
        for i, route in enumerate(each.spec.http):
            if route.delegate is None:
                continue
            wanted = key(route.delegate, each.metadata.namespace)
            named.add(wanted)
            if wanted not in without:
                text = f"there is no VirtualService {'/'.join(wanted)} without hosts, so that this route is left out"
                fix = told(frozenset(map("/".join, without)), "the mesh has")
                yield (spec(each) / "http" / i / "delegate").problem("MW0212", text, fix)
    for name, each in without.items():
        if name not in named:
            text = "this VirtualService names no host, and none delegates to it"
            yield (spec(each) / "hosts").problem("MW0306", text, "give spec.hosts")
