"""What a proxy's admin interface prints at /stats/prometheus, as samples.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format, of which Envoy uses no timestamps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

_LINE: Final = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)")
_LABEL: Final = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)",?')
_ESCAPED: Final = re.compile(r"\\(.)")
_MEANT: Final = {"n": "\n"}


@dataclass(frozen=True, slots=True)
class Sample:
    name: str
    labels: Mapping[str, str]
    value: float


def samples(text: str, prefix: str = "") -> Iterator[Sample]:
    """Those whose names begin with ``prefix``, in the text's order. Lines that are none are passed over."""
    for line in text.splitlines():
        if line.startswith(prefix) and (found := _LINE.fullmatch(line)):
            name, labels, value = found.groups()
            yield Sample(name, dict(_labels(labels or "")), float(value))


def _labels(text: str) -> Iterator[tuple[str, str]]:
    for name, value in _LABEL.findall(text):
        yield (
            name,
            _ESCAPED.sub(lambda found: _MEANT.get(found[1], found[1]), value) if "\\" in value else value,
        )
