"""Names that Kubernetes gives to objects. Source: k8s.io/apimachinery pkg/util/validation; each kind's own rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from mesh.link.spot import Spot
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_LABEL: Final = r"[a-z0-9](?:[-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN: Final = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_SERVICE: Final = re.compile(r"[a-z](?:[-a-z0-9]*[a-z0-9])?")
_PORT: Final = re.compile(_LABEL)
_LONGEST_LABEL, _LONGEST_SUBDOMAIN = 63, 253


def invalid(each: Object[Any]) -> Iterator[Problem]:
    """An object's name, if no object can have it."""
    name = each.metadata.name
    if each.kind == "Service":
        fits = len(name) <= _LONGEST_LABEL and _SERVICE.fullmatch(name)
    else:
        fits = len(name) <= _LONGEST_SUBDOMAIN and _SUBDOMAIN.fullmatch(name)
    if not fits:
        fix = "use small letters, digits and dashes, and a letter first"
        yield Spot(each, ("metadata", "name")).problem("MW0310", f"{name!r} cannot name a {each.kind}", fix)


def is_port(name: str) -> bool:
    """Whether a name can be that of a Service's port."""
    return len(name) <= _LONGEST_LABEL and _PORT.fullmatch(name) is not None
