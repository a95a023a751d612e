"""Whether an expression is RE2, which Envoy matches with. Python's engine is the judge, after what the two write differently is evened out."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Final

#: Istio's limit for an expression (validateStringRegexp).
LONGEST: Final = 1024
_MOST_REPEATS: Final = 1000
#: Python has these and RE2 does not.
_ONLY_PYTHON: Final = re.compile(
    r"\(\?(?:[=!>#(]|<[=!]|P[=>])|\\[1-9]|\\[ZNuU]|(?<!\\)[*+?}]\+|\(\?[a-zA-Z]*[aLux]"
)
_REPEAT: Final = re.compile(r"\{(\d+)(?:,(\d*))?\}")
#: RE2 has these and Python does not: each stands for something that Python takes at the same place.
_ONLY_RE2: Final = (
    (re.compile(r"\\Q(.*?)(?:\\E|$)", re.DOTALL), lambda m: re.escape(m[1])),
    (re.compile(r"\\[pP](?:\{\^?\w+\}|[A-Z])"), lambda m: r"\w"),
    (re.compile(r"\[:\^?\w+:\]"), lambda m: r"\w"),
    (re.compile(r"\\x\{[0-9a-fA-F]{1,6}\}"), lambda m: "x"),
    (re.compile(r"\\[zC]"), lambda m: "."),
    (re.compile(r"\(\?P?<(\w+)>"), lambda m: f"(?P<{m[1]}>"),
    (re.compile(r"\(\?[imsU]*-?[imsU]*\)"), lambda m: ""),
    (re.compile(r"\(\?[imsU]*-?[imsU]*:"), lambda m: "(?:"),
)


@lru_cache(maxsize=8192)
def mistake(expression: str) -> str:
    """What keeps an expression from being RE2, or nothing."""
    if not expression:
        return "it is empty"
    if len(expression) > LONGEST:
        return f"it has {len(expression)} characters, more than Istio's {LONGEST}"
    plain = expression.replace("\\\\", "\\x5c")
    found = _ONLY_PYTHON.search(plain)
    if found:
        return f"RE2 does not have {found.group()}"
    if any(int(n) > _MOST_REPEATS for m in _REPEAT.finditer(plain) for n in m.groups() if n):
        return f"RE2 repeats at most {_MOST_REPEATS} times"
    for theirs, ours in _ONLY_RE2:
        plain = theirs.sub(ours, plain)
    return _refused(plain)


def _refused(expression: str) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own plans for [[ are none of the user's concern
            re.compile(expression)
    except (re.error, OverflowError, RecursionError) as error:
        return str(error)
    return ""
