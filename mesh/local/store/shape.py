"""What an object must be made of before anything works with it: maps where maps are read, and so on.

Run at the edge, on every object that is sent. Only the fields that this package and the API's tables read are
named; what a spec may say beyond that is for the validate hook.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from mesh.local.store.kind import Kind
from mesh.local.store.refusal import Cause, bad_request, invalid


@dataclass(frozen=True)
class Type:
    """A JSON type by what it is called and how it is known."""

    told: str
    fits: Callable[[Any], bool]


def _each(value: Any, kind: type) -> bool:
    return all(isinstance(item, kind) for item in value)


MAP = Type("a map", lambda value: isinstance(value, dict))
STRING = Type("a string", lambda value: isinstance(value, str))
NUMBER = Type("a whole number", lambda value: isinstance(value, int) and not isinstance(value, bool))
STRINGS = Type(
    "a map of strings (put numbers and booleans in quotes)",
    lambda value: isinstance(value, dict) and _each(value.values(), str),
)
LIST = Type("a list of strings", lambda value: isinstance(value, list) and _each(value, str))
MAPS = Type("a list of maps", lambda value: isinstance(value, list) and _each(value, dict))

Fields = dict[str, Type]


def _below(path: str, fields: Fields) -> Fields:
    return {f"{path}.{name}": type_ for name, type_ in fields.items()}


_METADATA: Fields = {
    **dict.fromkeys(("name", "generateName", "namespace", "uid", "resourceVersion"), STRING),
    **dict.fromkeys(("labels", "annotations"), STRINGS),
    **dict.fromkeys(("ownerReferences", "managedFields"), MAPS),
    "finalizers": LIST,
    "ownerReferences[].uid": STRING,
    **dict.fromkeys(("managedFields[].manager", "managedFields[].operation"), STRING),
    "managedFields[].fieldsV1": MAP,
}
_EVERY: Fields = {"metadata": MAP, **_below("metadata", _METADATA)}
_WITH_STATUS: Fields = {"spec": MAP, "status": MAP, "status.conditions": MAPS}
_CONTAINERS: Fields = {"ports": MAPS, "env": MAPS, "volumeMounts": MAPS}
_POD_SPEC: Fields = {
    "terminationGracePeriodSeconds": NUMBER,
    "initContainers": MAPS,
    **_below("initContainers[]", _CONTAINERS),
    "containers": MAPS,
    **_below("containers[]", _CONTAINERS),
}
_TEMPLATED: Fields = {
    "spec.replicas": NUMBER,
    "spec.selector": MAP,
    "spec.selector.matchLabels": STRINGS,
    "spec.strategy": MAP,
    "spec.strategy.rollingUpdate": MAP,
    "spec.template": MAP,
    **_below("spec.template", {"metadata": MAP, **_below("metadata", _METADATA), "spec": MAP}),
    **_below("spec.template.spec", _POD_SPEC),
}
_KINDS: dict[str, Fields] = {
    "ConfigMap": {"data": STRINGS},
    "Deployment": _TEMPLATED,
    "EndpointSlice": {"endpoints": MAPS, "endpoints[].addresses": LIST, "ports": MAPS},
    "Event": {"involvedObject": MAP, "count": NUMBER},
    "Job": _TEMPLATED,
    "NetworkPolicy": {"spec.podSelector": MAP, "spec.podSelector.matchLabels": STRINGS},
    "Pod": {
        **_below("spec", _POD_SPEC),
        "status.containerStatuses": MAPS,
        "status.containerStatuses[].restartCount": NUMBER,
        "status.containerStatuses[].state": MAP,
        "status.containerStatuses[].state.terminated": MAP,
    },
    "ReplicaSet": _TEMPLATED,
    "Secret": {"data": STRINGS, "stringData": STRINGS},
    "Service": {"spec.ports": MAPS, "spec.selector": STRINGS, "spec.clusterIP": STRING, "spec.type": STRING},
}


def check(obj: Any, kind: Kind) -> None:
    """Raises Refused: 400 for what is no object at all, 422 with each field that is of another type."""
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata"), dict):
        raise bad_request(f"a {kind.name} is an object with metadata")
    fields = {**_EVERY, **(_WITH_STATUS if kind.status else {}), **_KINDS.get(kind.name, {})}
    causes = [
        Cause(f"must be {type_.told}", place, "FieldValueTypeInvalid")
        for path, type_ in fields.items()
        for place, value in _at(obj, path.split("."), "")
        if not type_.fits(value)
    ]
    if causes:
        name = obj["metadata"].get("name")
        raise invalid(kind, name if isinstance(name, str) else "", causes)


def _at(value: Any, steps: list[str], place: str) -> Iterator[tuple[str, Any]]:
    """Every value at a path, with where it is; what is missing or null is not there.

    ``name[]`` goes through the items of a list.
    """
    if not steps:
        yield place, value
        return
    name = steps[0].removesuffix("[]")
    found = value.get(name) if isinstance(value, dict) else None
    inside = f"{place}.{name}" if place else name
    if found is None:
        return
    if steps[0] == name:
        yield from _at(found, steps[1:], inside)
    elif isinstance(found, list):
        for at, item in enumerate(found):
            yield from _at(item, steps[1:], f"{inside}[{at}]")
