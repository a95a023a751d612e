"""What every object must look like before anything is done with it: a map with usable metadata. Run at the
edge, on create and update.

The rules are those of k8s.io/apimachinery/pkg/api/validation. What a spec may say is for the validate hook.
"""

from __future__ import annotations

import re
from typing import Any

from mesh.local.store.kind import Kind
from mesh.local.store.object import Object, metadata, name_of
from mesh.local.store.refusal import Cause, bad_request, invalid

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_LABEL = re.compile(_LABEL)
_QUALIFIED = re.compile(r"(?:[a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def check(obj: Any, kind: Kind) -> None:
    """Raises Refused: 400 for what is not an object at all, 422 for names and labels that Kubernetes would
    not take.
    """
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata", {}), dict):
        raise bad_request(f"a {kind.name} is an object with metadata")
    found = obj.get("metadata") or {}
    if not isinstance(found.get("name", ""), str) or not isinstance(found.get("generateName", ""), str):
        raise bad_request(f"metadata.name of a {kind.name} is a string")
    for field in ("labels", "annotations"):
        _strings(found.get(field), f"metadata.{field}", kind)
    causes = [*_name(obj, kind), *_labels(found.get("labels") or {})]
    if causes:
        raise invalid(kind, name_of(obj), causes)


def _strings(value: Any, path: str, kind: Kind) -> None:
    if value is None:
        return
    wrong = (
        [name for name, text in value.items() if not isinstance(text, str)]
        if isinstance(value, dict)
        else [""]
    )
    if wrong:
        raise bad_request(
            f"{path} of a {kind.name} maps strings to strings: put the value of {wrong[0]!r} in quotes"
        )


def _name(obj: Object, kind: Kind) -> list[Cause]:
    name = name_of(obj)
    if not name and metadata(obj).get("generateName"):
        return []
    if not name:
        return [Cause("name or generateName is required", "metadata.name", "FieldValueRequired")]
    if kind.name in ("Service", "Namespace"):
        fits, limit = _DNS_LABEL.fullmatch(name), 63
    else:
        fits, limit = _SUBDOMAIN.fullmatch(name), 253
    if fits and len(name) <= limit:
        return []
    rule = f"at most {limit} lower case letters, digits and '-', a letter or digit first and last"
    return [Cause(f"{name!r} is not a name: {rule}", "metadata.name")]


def _labels(labels: dict[str, str]) -> list[Cause]:
    rule = "names and values are at most 63 letters, digits, '-', '_' and '.'"
    return [
        Cause(f"{name}: {value!r} is not a label: {rule}", "metadata.labels")
        for name, value in labels.items()
        if not (_QUALIFIED.fullmatch(name) and _LABEL_VALUE.fullmatch(value))
    ]
