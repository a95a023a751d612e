"""Label and field selectors, as kubectl's -l and --field-selector send them, as predicates over objects.

Grammar: k8s.io/apimachinery/pkg/labels (equality and set requirements) and pkg/fields (equality only).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mesh.local.store.kind import Kind
from mesh.local.store.object import Object, at, labels_of
from mesh.local.store.refusal import bad_request

Matches = Callable[[Object], bool]

_NAME = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"[-A-Za-z0-9_.]*"
_SET = re.compile(rf"({_NAME})\s+(in|notin)\s*\(([^()]*)\)")
_EQUAL = re.compile(rf"({_NAME})\s*(==|=|!=)\s*({_VALUE})")
_EXISTS = re.compile(rf"(!?)\s*({_NAME})")
_COMMA = re.compile(r",(?![^()]*\))")


def matcher(kind: Kind | None, labels: str = "", fields: str = "") -> Matches:
    """One predicate for both selectors; an empty selector selects everything.

    Raises Refused (400) for what cannot be read.
    """
    tests = [_label_test(part.strip()) for part in _COMMA.split(labels) if part.strip()]
    tests += [_field_test(part.strip(), kind) for part in fields.split(",") if part.strip()]
    return lambda obj: all(test(obj) for test in tests)


def _label_test(requirement: str) -> Matches:
    if found := _SET.fullmatch(requirement):
        name, word, listed = found.groups()
        values = {value.strip() for value in listed.split(",")}
        return lambda obj: (labels_of(obj).get(name) in values) == (word == "in")
    if found := _EQUAL.fullmatch(requirement):
        name, sign, value = found.groups()
        return lambda obj: (labels_of(obj).get(name) == value) == (sign != "!=")
    if found := _EXISTS.fullmatch(requirement):
        absent, name = found.groups()
        return lambda obj: (name in labels_of(obj)) == (not absent)
    forms = "name=value, name!=value, name in (a,b), name notin (a,b), name or !name"
    raise bad_request(f"unable to parse label selector {requirement!r}: write {forms}")


def _field_test(requirement: str, kind: Kind | None) -> Matches:
    sign = next((sign for sign in ("!=", "==", "=") if sign in requirement), "")
    path, _, value = requirement.partition(sign or "=")
    known = ("metadata.name", "metadata.namespace", *(kind.fields if kind else ()))
    if not sign or path not in known:
        forms = f"FIELD=VALUE with FIELD one of {', '.join(known)}"
        raise bad_request(f"field selector {requirement!r} is not supported: write {forms}")
    return lambda obj: (_text(at(obj, path)) == value) == (sign != "!=")


def _text(value: object) -> str:
    return "" if value is None else str(value)
