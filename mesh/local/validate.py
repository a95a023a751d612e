"""What kubectl sends is checked before it is kept: the store's validate hook, with the same Problems as `mesh check`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mesh.envoy.patching import linked
from mesh.local.publisher import origin
from mesh.resources.object import from_json
from mesh.resources.problem import Problem

Object = dict[str, Any]


def validate(proposed: Sequence[Object], everything: Sequence[Object]) -> list[Problem]:
    """Problems of the proposed objects in the mesh that would then be. Pods are the runner's own and are not questioned."""
    if not any(_matters(o) for o in proposed):
        return []
    about = {origin(o) for o in proposed}
    typed, problems = [], []
    for each in everything:
        if each["kind"] in ("Pod", "Event", "EndpointSlice"):
            continue
        made, wrong = from_json(each, origin(each))
        problems += wrong
        if made is not None:
            typed.append(made)
    problems += linked(typed)[1]
    return [p for p in problems if p.place.file in about]


def _matters(obj: Object) -> bool:
    return obj["kind"] in ("Service", "Deployment") or "istio.io/" in obj["apiVersion"]
