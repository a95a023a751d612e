"""Parameters of Prometheus' query API, parsed: times, steps, and which series are meant. Used by prometheus.

Source: https://prometheus.io/docs/prometheus/latest/querying/api/
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import promql_parser

from mesh.observe.promql.nodes import BadQuery, Selector
from mesh.observe.promql.parse import parse

_LONGEST_SECONDS: Final = 1e11


@dataclass(frozen=True)
class Parameters:
    """From the query string and, with POST, the form; a name may be given more than once. All raise BadQuery."""

    given: Mapping[str, Sequence[str]]

    def text(self, name: str) -> str:
        if not (found := self.given.get(name, [""])[0]):
            raise BadQuery(f'invalid parameter "{name}": it is required')
        return found

    def time(self, name: str, default: int | None = None) -> int:
        """ms since 1970, of seconds or RFC 3339; without ``default`` it must be given."""
        found = self.given.get(name, [""])[0]
        if not found and default is not None:
            return default
        if (milliseconds := _time(found)) is None:
            raise BadQuery(f'invalid parameter "{name}": cannot parse "{found}" to a valid timestamp')
        return milliseconds

    def step(self) -> int:
        """ms, of seconds or a duration such as 15s."""
        found = self.given.get("step", [""])[0]
        seconds = _number(found)
        if seconds is None:
            seconds = _duration(found)
        if seconds is None:
            raise BadQuery(f'invalid parameter "step": cannot parse "{found}" to a valid duration')
        if seconds * 1000 < 1:
            raise BadQuery(
                'invalid parameter "step": zero or negative query resolution step widths are not accepted. '
                "Try a positive integer"
            )
        return round(seconds * 1000)

    def limit(self) -> int | None:
        found = self.given.get("limit", [""])[0]
        if not found:
            return None
        if not found.isdigit():
            raise BadQuery('invalid parameter "limit": it must be a non-negative number')
        return int(found) or None

    def selectors(self) -> list[Selector]:
        """Of ``match[]``, of which a series has to fit one."""
        found = [parse(each) for each in self.given.get("match[]", ())]
        selectors = [each for each in found if isinstance(each, Selector)]
        if len(selectors) != len(found):
            raise BadQuery('invalid parameter "match[]": expected a series selector')
        return selectors


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) and abs(found) < _LONGEST_SECONDS else None


def _duration(text: str) -> float | None:
    try:
        found: timedelta = promql_parser.parse_duration(text)
    except ValueError:
        return None
    return found.total_seconds()


def _time(text: str) -> int | None:
    seconds = _number(text)
    if seconds is None:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return round(seconds * 1000)
