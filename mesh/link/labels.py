"""Labels that pods are told apart by: whether they can be labels at all. Source: istio pkg/config/labels, Instance.Validate."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.problem import Problem

_WORD: Final = r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?"
_DNS: Final = r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?"
_KEY: Final = re.compile(rf"(?:{_DNS}(?:\.{_DNS})*/)?({_WORD})")
_VALUE: Final = re.compile(rf"(?:{_WORD})?")
_LONGEST: Final = 63


def invalid(at: Spot, labels: Mapping[str, str]) -> Iterator[Problem]:
    """Keys and values that no pod can have."""
    for key, value in labels.items():
        found = _KEY.fullmatch(key)
        if not found or len(found[1]) > _LONGEST:
            yield (at / key).problem(
                "MW0310", f"{key!r} cannot be a label's key", "as in app or example.com/app"
            )
        if not _VALUE.fullmatch(value):
            fix = "use letters, digits, dashes, dots; a label is compared as a whole"
            yield (at / key).problem("MW0310", f"{value!r} cannot be a label's value", fix)
