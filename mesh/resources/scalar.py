"""Single values as the type that a field has: text, numbers, booleans, durations and names from a list.

As strict as Kubernetes: a number where text belongs is refused, not turned into text.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any, Final, NewType

_DURATION: Final = re.compile(r"([+-]?)((?:(?:\d+\.?\d*|\.\d+)(?:h|ms|us|µs|μs|ns|m|s))+)|[+-]?0", re.ASCII)
_PARTS: Final = re.compile(r"(\d+\.?\d*|\.\d+)(h|ms|us|µs|μs|ns|m|s)", re.ASCII)
_MICROSECONDS: Final = {
    "h": 3.6e9,
    "m": 6e7,
    "s": 1e6,
    "ms": 1e3,
    "us": 1.0,
    "µs": 1.0,
    "μs": 1.0,
    "ns": 1e-3,
}
#: istiod's ValidateDuration: a millisecond or more, and no finer.
_MILLISECOND: Final = timedelta(milliseconds=1)
_LARGEST: Final = 2**32 - 1
_LONGEST: Final = timedelta(days=365 * 100)


#: A duration of which Istio also takes 0, for a session's length or none.
DurationOrZero = NewType("DurationOrZero", timedelta)


class Wrong(ValueError):
    """A value that cannot be read as its field's type. ``code`` is that of the Problem it becomes."""

    def __init__(self, text: str, code: str = "MW0103", fix: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.fix = fix


def scalar(hint: Any, value: Any) -> Any:
    """``value`` as ``hint``. Raises Wrong."""
    if hint is Any:
        return value
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, value)
    return _READERS[hint](value)


def number_or_text(value: Any) -> int | str:
    """Kubernetes' IntOrString, as in targetPort."""
    return value if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def duration(text: str) -> timedelta:
    """A Go duration such as ``1m30s`` or ``250ms``, down to a microsecond. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if not found:
        raise ValueError(f"expected a duration such as 2s or 250ms, found {text!r}")
    micros = sum(float(n) * _MICROSECONDS[unit] for n, unit in _PARTS.findall(found[2] or ""))
    if micros > _LONGEST / timedelta(microseconds=1):
        raise ValueError(f"{text!r} is longer than a century")
    return timedelta(microseconds=-micros if found[1] == "-" else micros)


def shown(value: Any) -> str:
    """A value as a message shows it."""
    text = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value))
    return text or (str(value).lower() if isinstance(value, bool) else f"{value!r:.60}")


def _member(kind: type[Enum], value: Any) -> Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(m.value) for m in kind)
        text = f"{shown(value)} is not one of its names"
        raise Wrong(text, fix=f"use one of: {choices}") from None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        fix = "put it in quotes" if isinstance(value, (bool, int, float)) else "give one value"
        raise Wrong(f"expected text, found {shown(value)}", fix=fix)
    return value


def _whole(value: Any) -> int:
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise Wrong(f"expected a whole number, found {shown(value)}", fix="as in 3, without quotes")
    if not 0 <= value <= _LARGEST:
        text = f"{value} is {'negative' if value < 0 else 'too large'}"
        raise Wrong(text, "MW0304", f"use 0 to {_LARGEST}")
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise Wrong(f"expected a number, found {shown(value)}", fix="as in 12.5, without quotes")
    if not abs(value) <= _LARGEST:
        raise Wrong(f"{shown(value)} is too large", "MW0304", f"use at most {_LARGEST}")
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Wrong(f"expected true or false, found {shown(value)}", fix="write it without quotes")
    return value


def _time(value: Any) -> timedelta:
    found = _duration(value)
    if found < _MILLISECOND or found % _MILLISECOND:
        text = f"{value!r} must be a millisecond or more, in whole milliseconds"
        raise Wrong(text, "MW0304", "use 1ms or more")
    return found


def _time_or_zero(value: Any) -> timedelta:
    found = _duration(value)
    return _time(value) if found else found


def _duration(value: Any) -> timedelta:
    try:
        return duration(_text(value))
    except Wrong:
        raise Wrong(
            f"expected a duration such as 2s or 250ms, found {shown(value)}", fix="give it a unit"
        ) from None
    except ValueError as error:
        raise Wrong(str(error), fix="as in 2s, 250ms or 1m30s") from None


_READERS: Final[dict[Any, Callable[[Any], Any]]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _truth,
    timedelta: _time,
    DurationOrZero: _time_or_zero,
}
