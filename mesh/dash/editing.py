"""Routing rules as text that people edit: an object -> YAML without what the API adds, its weights changed in place, YAML -> an object again.

Comments and order of what was typed are kept. Used by change.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from mesh.dash.malformed import Malformed

Object = dict[str, Any]

#: What the API keeps beside what people write.
_KEPT: Final = frozenset({"name", "namespace", "labels", "annotations"})
_OURS: Final = ("meshwright.dev/", "kubectl.kubernetes.io/last-applied")


def text(obj: Object) -> str:
    metadata = {key: value for key, value in obj["metadata"].items() if key in _KEPT}
    notes = {
        key: value
        for key, value in (metadata.pop("annotations", None) or {}).items()
        if not key.startswith(_OURS)
    }
    shown = {**metadata, **({"annotations": notes} if notes else {})}
    plain = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "metadata": shown, "spec": obj["spec"]}
    return yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=100)


def read(given: str) -> Object:
    """One object. Raises Malformed."""
    try:
        found = list(yaml.safe_load_all(given))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise Malformed(f"this is no YAML: {error}") from None
    if len(found) != 1 or not isinstance(found[0], dict):
        raise Malformed("this must be one object, as it was")
    return found[0]


def put_back(edited: Object, before: Object) -> Object:
    """The edited one with what the API had added to the one before. Raises Malformed when it is another object."""
    if _identity(edited) != _identity(before):
        kind, namespace, name = _identity(before)
        raise Malformed(f"this edits {kind} {namespace}/{name}: its kind, its namespace and its name stay")
    metadata, old = edited["metadata"], before["metadata"]
    ours = {k: v for k, v in (old.get("annotations") or {}).items() if k.startswith(_OURS)}
    annotations = {**(metadata.get("annotations") or {}), **ours}
    kept = {key: value for key, value in old.items() if key not in _KEPT and key != "managedFields"}
    merged = {**kept, **metadata, **({"annotations": annotations} if annotations else {})}
    return {**{key: value for key, value in before.items() if key == "status"}, **edited, "metadata": merged}


def _identity(obj: Object) -> tuple[str, str, str]:
    metadata = obj.get("metadata")
    found = metadata if isinstance(metadata, dict) else {}
    return str(obj.get("kind")), str(found.get("namespace")), str(found.get("name"))


def weighted(given: str, route: int, weights: Sequence[int]) -> str:
    """The text with other weights in ``spec.http[route]``. Raises Malformed."""
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    editor.indent(mapping=2, sequence=2, offset=0)
    try:
        found = editor.load(given)
        places = found["spec"]["http"][route]["route"]
        if len(places) != len(weights):
            raise Malformed(f"route {route} has {len(places)} places")
        for place, weight in zip(places, weights, strict=True):
            place["weight"] = weight
    except (YAMLError, KeyError, IndexError, TypeError) as error:
        raise Malformed(f"there is no such route in it: {type(error).__name__}") from None
    out = io.StringIO()
    editor.dump(found, out)
    return out.getvalue()


def divided(obj: Object) -> list[Mapping[str, Any]]:
    """Its routes that have several places: ``index`` in spec.http, a name, and each place with its weight."""
    return list(_divided(obj))


def _divided(obj: Object) -> Iterator[Mapping[str, Any]]:
    spec = obj.get("spec")
    https = spec.get("http") if isinstance(spec, dict) else None
    for i, http in enumerate(https if isinstance(https, list) else ()):
        places = http.get("route") if isinstance(http, dict) else None
        if isinstance(places, list) and len(places) > 1:
            yield {
                "index": i,
                "name": str(http.get("name") or f"route {i}"),
                "places": [_place(each) for each in places],
            }


def _place(given: Any) -> Mapping[str, Any]:
    place = given if isinstance(given, dict) else {}
    destination = place.get("destination")
    found = destination if isinstance(destination, dict) else {}
    weight = place.get("weight", 0)
    return {
        "host": str(found.get("host", "")),
        "subset": str(found.get("subset", "")),
        "weight": weight if isinstance(weight, int) else 0,
    }
