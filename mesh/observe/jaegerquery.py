"""The parameters of Jaeger's query API, read into what search is asked. Used by jaeger.

Source: jaegertracing/jaeger, cmd/query/app/query_parser.go.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import QueryParams

from mesh.observe.search import Query

LIMIT = 100
LARGEST_LIMIT = 1500
"""Traces of one answer: what Jaeger's UI allows."""

MOST_IDS = 20
MOST_TAGS = 20

LOOKBACK_NS = 2 * 24 * 3600 * 10**9
"""Without a start."""

_LATEST = 2**63 - 1
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = r"(\d{1,15}(?:\.\d{0,9})?|\.\d{1,9})(ns|us|µs|μs|ms|s|m|h)"
_ID = re.compile(r"[0-9a-fA-F]{1,32}")


class Malformed(Exception):
    """A parameter cannot be read. The text names it."""


@dataclass(frozen=True)
class Window:
    """From start to end, in nanoseconds since 1970."""

    start_ns: int
    end_ns: int


def query(asked: QueryParams, now_ns: int) -> Query:
    """What ``/api/traces`` searches for. Raises Malformed."""
    if not (service := asked.get("service", "")):
        raise Malformed("parameter 'service' is required")
    found = Query(
        service=service,
        operation=asked.get("operation", ""),
        start_ns=_time(asked, "start", 1000, now_ns - LOOKBACK_NS),
        end_ns=_time(asked, "end", 1000, now_ns),
        shortest_ns=_duration(asked, "minDuration"),
        longest_ns=_duration(asked, "maxDuration"),
        tags=_tags(asked),
        limit=_limit(asked),
    )
    if found.longest_ns and found.longest_ns < found.shortest_ns:
        raise Malformed("'maxDuration' should be greater than 'minDuration'")
    return found


def window(asked: QueryParams, now_ns: int) -> Window:
    """What ``/api/dependencies`` is about: ``endTs`` and ``lookback``, in milliseconds. Raises Malformed."""
    end = _time(asked, "endTs", 10**6, now_ns)
    return Window(end - _time(asked, "lookback", 10**6, 24 * 3600 * 10**9), end)


def trace_id(text: str) -> str:
    """32 digits, though older ids may be written with fewer. Raises Malformed."""
    if not _ID.fullmatch(text):
        raise Malformed(f"a trace ID has up to 32 hex digits: {text[:40]!r}")
    return text.lower().zfill(32)


def trace_ids(asked: QueryParams) -> list[str]:
    """``traceID``, which may be given several times. Raises Malformed."""
    return [trace_id(each) for each in asked.getlist("traceID")[:MOST_IDS]]


def _time(asked: QueryParams, name: str, nanoseconds: int, otherwise: int) -> int:
    text = asked.get(name, "")
    if not text:
        return otherwise
    if not re.fullmatch(r"[0-9]{1,19}", text):
        raise Malformed(f"unable to parse param '{name}': {text[:40]!r} is no number")
    return min(int(text) * nanoseconds, _LATEST)


def _duration(asked: QueryParams, name: str) -> int:
    """As Go writes them: ``1.5ms``, ``2m30s``."""
    text = asked.get(name, "").strip()
    if not re.fullmatch(f"(?:{_PART})*", text):
        raise Malformed(
            f"unable to parse param '{name}': {text[:40]!r} is no duration, such as 1.2s or 100ms"
        )
    found = sum(float(number) * _UNITS[unit] for number, unit in re.findall(_PART, text))
    return min(int(found), _LATEST)


def _limit(asked: QueryParams) -> int:
    text = asked.get("limit", "") or str(LIMIT)
    if not re.fullmatch(r"[0-9]{1,9}", text) or not int(text):
        raise Malformed(f"unable to parse param 'limit': {text[:40]!r} is no number above 0")
    return min(int(text), LARGEST_LIMIT)


def _tags(asked: QueryParams) -> Mapping[str, str]:
    """``tag=key:value`` any number of times, ``tags`` as a JSON object of strings."""
    found: dict[str, str] = {}
    for text in asked.getlist("tag"):
        key, colon, value = text.partition(":")
        if not colon:
            raise Malformed(f"malformed 'tag' parameter, expecting key:value: {text[:40]!r}")
        found[key] = value
    for text in asked.getlist("tags"):
        found |= _from_json(text)
    if len(found) > MOST_TAGS:
        raise Malformed(f"a search may have {MOST_TAGS} tags, not {len(found)}")
    return found


def _from_json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
        json.dumps(found, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        raise Malformed(f"malformed 'tags' parameter, expecting a JSON object of strings: {text[:40]!r}")
    return found
