"""One line that a process wrote -> when, how bad, of which trace. Used by logsearch and `mesh logs`.

Services write JSON, with `time`, `level`, `event`, `trace_id` and `span_id` (services/kit/logs.py); other languages and programs spell
some of those otherwise, and Envoy and NATS write text. A line of which nothing is understood is a line still.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

#: From harmless to bad, as they are asked for.
LEVELS: Final = ("debug", "info", "warning", "error", "critical")

_SPELLED: Final = {
    **{level: level for level in LEVELS},
    **{"trace": "debug", "dbg": "debug", "trc": "debug", "inf": "info", "notice": "info", "warn": "warning"},
    **{"wrn": "warning", "err": "error", "fatal": "critical", "ftl": "critical", "panic": "critical"},
}
_NUMBERS: Final = {10: "debug", 20: "info", 30: "info", 40: "warning", 50: "error", 60: "critical"}
"""As pino counts them, for those who write numbers."""

_TIMES: Final = ("time", "timestamp", "ts", "@timestamp")
_MESSAGES: Final = ("event", "msg", "message")
_TRACES: Final = ("trace_id", "traceId", "traceid")
_SPANS: Final = ("span_id", "spanId", "spanid")
_HEAD: Final = 120
_LONGEST: Final = 64 << 10
_TIME: Final = re.compile(
    r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)\d*(Z|[+-]\d\d:?\d\d)?"
)
_LEVEL: Final = re.compile(r"\[(" + "|".join(_SPELLED) + r")\]", re.IGNORECASE)
_MILLISECONDS: Final = 1e11
"""A number larger than that is no number of seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Line:
    """``at_ns`` is since 1970, None where the line does not say; ``level`` one of LEVELS or "". ``fields`` of a line that is JSON."""

    pod: str
    container: str
    text: str
    at_ns: int | None
    level: str
    message: str
    trace: str
    span: str
    fields: Mapping[str, Any]


def line(written: bytes, pod: str, container: str) -> Line:
    text = written[:_LONGEST].decode(errors="replace").rstrip("\r\n")
    fields = _fields(text)
    if fields is None:
        return Line(pod, container, text, _time_in(text[:_HEAD]), _level_in(text[:_HEAD]), text, "", "", {})
    return Line(
        pod,
        container,
        text,
        _time(_first(fields, _TIMES)),
        _level(fields.get("level", fields.get("severity", ""))),
        str(_first(fields, _MESSAGES) or text),
        str(_first(fields, _TRACES) or "").lower(),
        str(_first(fields, _SPANS) or "").lower(),
        fields,
    )


def at_least(found: Line, level: str) -> bool:
    """Whether it is as bad as that; a line without a level is taken for information."""
    return LEVELS.index(found.level or "info") >= LEVELS.index(level)


def _fields(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((fields[name] for name in names if fields.get(name) not in (None, "")), None)


def _time(told: Any) -> int | None:
    if isinstance(told, str):
        return _time_in(told)
    if isinstance(told, int | float) and not isinstance(told, bool) and 0 < told < _MILLISECONDS * 1e4:
        return int(told * 1e6) if told > _MILLISECONDS else int(told * 1e9)
    return None


def _time_in(text: str) -> int | None:
    """Of a time without a zone, this machine's."""
    found = _TIME.search(text)
    if not found:
        return None
    year, month, day, clock, zone = found.groups()
    try:
        at = datetime.fromisoformat(f"{year}-{month}-{day}T{clock}{zone or ''}")
        return int(at.timestamp() * 1e6) * 1000
    except (ValueError, OverflowError, OSError):
        return None


def _level(told: Any) -> str:
    if isinstance(told, int) and not isinstance(told, bool):
        return _NUMBERS.get(told, "")
    return _SPELLED.get(str(told).lower(), "")


def _level_in(text: str) -> str:
    found = _LEVEL.search(text)
    return _SPELLED[found[1].lower()] if found else ""
