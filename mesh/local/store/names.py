"""Which names and labels Kubernetes takes (k8s.io/apimachinery/pkg/util/validation)."""

from __future__ import annotations

import re

from mesh.local.store.kind import Kind
from mesh.local.store.object import Object, labels_of, metadata, name_of
from mesh.local.store.refusal import Cause, invalid

_LABEL = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_DNS_LABEL = re.compile(_LABEL)
_QUALIFIED = re.compile(r"(?:[a-z0-9][-a-z0-9.]*/)?[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")


def check(obj: Object, kind: Kind) -> None:
    """Raises Refused (422) for a name or a label that a cluster would not take."""
    causes = [*_name(obj, kind), *_labels(labels_of(obj))]
    if causes:
        raise invalid(kind, name_of(obj), causes)


def _name(obj: Object, kind: Kind) -> list[Cause]:
    name = name_of(obj)
    if not name and metadata(obj).get("generateName"):
        return []
    if not name:
        return [Cause("name or generateName is required", "metadata.name", "FieldValueRequired")]
    is_label = kind.name in ("Service", "Namespace")
    fits, limit = (_DNS_LABEL.fullmatch(name), 63) if is_label else (_SUBDOMAIN.fullmatch(name), 253)
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
