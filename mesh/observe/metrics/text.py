"""The values of the last round as Prometheus' text, for `GET /metrics`.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from mesh.observe.metrics.series import NAME, Labels

MEDIA: Final = "text/plain; version=0.0.4; charset=utf-8"
_OF_HISTOGRAM: Final = ("_bucket", "_sum", "_count")
_ESCAPES: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def text(samples: Iterable[tuple[Labels, float]], types: Mapping[str, str]) -> str:
    """By name; ``types`` is by family, and a family that it does not know is untyped."""
    families: dict[str, list[tuple[Labels, float]]] = defaultdict(list)
    for labels, value in samples:
        families[family(labels[NAME], types)].append((labels, value))
    return "".join(f"{line}\n" for name in sorted(families) for line in _lines(name, families[name], types))


def family(name: str, types: Mapping[str, str]) -> str:
    """What a histogram's series have in common; any other name is itself."""
    for suffix in _OF_HISTOGRAM:
        if name.endswith(suffix) and types.get(name.removesuffix(suffix)) == "histogram":
            return name.removesuffix(suffix)
    return name


def number(value: float) -> str:
    """As Prometheus prints it: 17 digits where they are needed, no fraction where there is none."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return repr(value).removesuffix(".0")


def _lines(name: str, found: Iterable[tuple[Labels, float]], types: Mapping[str, str]) -> Iterator[str]:
    yield f"# TYPE {name} {types.get(name, 'untyped')}"
    for labels, value in found:
        told = ",".join(f'{key}="{each.translate(_ESCAPES)}"' for key, each in labels.items() if key != NAME)
        yield f"{labels[NAME]}{{{told}}} {number(value)}" if told else f"{labels[NAME]} {number(value)}"
