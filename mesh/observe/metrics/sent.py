"""Metrics that services send by OTLP: the last value of each series, for the next round of scraping.

Input: exports, from receiver. Output: names and labels as Prometheus' own OTLP endpoint gives them: `job` is namespace/service,
`instance` the service's instance, dots become underscores, the unit and `_total` end the name.
Source: https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/#otlp-metric-points-to-prometheus
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate, islice
from typing import Final

from mesh.observe import attributes
from mesh.observe.limits import Counts, Limits, Reason
from mesh.observe.metrics.series import NAME, Labels
from mesh.observe.metrics.text import number
from mesh.observe.source import UNKNOWN
from mesh.observe.wire import Message

FRESH_SECONDS: Final = 20.0
"""How long a value stands without being sent again: some exports of services, which are 5 s apart, may be late."""

_UNITS: Final = {
    "ms": "milliseconds",
    "s": "seconds",
    "By": "bytes",
    "%": "percent",
    "us": "microseconds",
    "ns": "nanoseconds",
}
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_]+")
_CUMULATIVE: Final = 2
_MOST_BUCKETS: Final = 100


@dataclass(frozen=True, slots=True)
class _Point:
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class _Kept:
    """``family`` is what its type is said of, ``at`` when it was sent."""

    point: _Point
    family: str
    kind: str
    at: float


class Sent:
    """Written by the receiver's thread, read by the scraper."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lock = threading.Lock()
        self._kept: dict[frozenset[tuple[str, str]], _Kept] = {}

    @property
    def types(self) -> dict[str, str]:
        """ "counter", "gauge" or "histogram" by family."""
        with self._lock:
            return {each.family: each.kind for each in self._kept.values()}

    def take(self, export: Message, now: float) -> Counts:
        """What was refused, by reason. ``now`` is in seconds, on the clock of ``current``."""
        refused = Counts()
        with self._lock:
            for resource in export.resource_metrics:
                target = _target(resource.resource.attributes, self._limits)
                for metric in (each for scope in resource.scope_metrics for each in scope.metrics):
                    self._metric(metric, target, now, refused)
        return refused

    def current(self, now: float) -> list[tuple[Labels, float]]:
        """All that is fresh; the rest is forgotten."""
        with self._lock:
            self._kept = {key: each for key, each in self._kept.items() if each.at > now - FRESH_SECONDS}
            return [(each.point.labels, each.point.value) for each in self._kept.values()]

    def _metric(self, metric: Message, target: Labels, now: float, refused: Counts) -> None:
        kind = _kind(metric)
        name = _name(metric, kind)[: self._limits.name]
        if not kind or not name.strip("_"):
            refused[Reason.NO_KNOWN_METRIC] += 1
            return
        for point in _points(metric, kind, name, target, self._limits):
            key = frozenset(point.labels.items())
            if key not in self._kept and len(self._kept) >= self._limits.series:
                refused[Reason.TOO_MANY_SERIES] += 1
            else:
                self._kept[key] = _Kept(point, name, kind, now)


def _kind(metric: Message) -> str:
    """As Prometheus calls it; "" for what adds up from export to export, or is not known here."""
    match metric.WhichOneof("value"):
        case "gauge":
            return "gauge"
        case "sum" if metric.sum.aggregation_temporality == _CUMULATIVE:
            return "counter" if metric.sum.is_monotonic else "gauge"
        case "histogram" if metric.histogram.aggregation_temporality == _CUMULATIVE:
            return "histogram"
        case _:
            return ""


def _name(metric: Message, kind: str) -> str:
    name = _plain(metric.name)
    unit = _UNITS.get(metric.unit, "")
    if unit and not name.endswith(f"_{unit}"):
        name = f"{name}_{unit}"
    return f"{name}_total" if kind == "counter" and not name.endswith("_total") else name


def _plain(text: str) -> str:
    found = _NOT_IN_NAMES.sub("_", text)
    return f"_{found}" if found[:1].isdigit() else found


def _target(resource: Iterable[Message], limits: Limits) -> Labels:
    told = {pair.key: str(attributes.value(pair.value)) for pair in islice(resource, limits.attributes)}
    service, namespace = told.get("service.name") or UNKNOWN, told.get("service.namespace", "")
    labels = {"job": f"{namespace}/{service}" if namespace else service}
    if instance := told.get("service.instance.id", ""):
        labels["instance"] = instance
    return {name: value[: limits.name] for name, value in labels.items()}


def _points(metric: Message, kind: str, name: str, target: Labels, limits: Limits) -> Iterator[_Point]:
    for point in getattr(metric, metric.WhichOneof("value")).data_points:
        labels = _labels(point.attributes, target, limits)
        if kind == "histogram":
            yield from _histogram(point, name, labels)
        else:
            value = point.as_int if point.WhichOneof("value") == "as_int" else point.as_double
            yield _Point({NAME: name, **labels}, float(value))


def _labels(of: Iterable[Message], target: Labels, limits: Limits) -> Labels:
    """The point's own, and its target's, which win; an empty label is none."""
    told = {
        _plain(pair.key)[: limits.name]: str(attributes.value(pair.value))[: limits.name]
        for pair in islice(of, limits.labels)
    }
    return {**{name: value for name, value in told.items() if value and name.strip("_")}, **target}


def _histogram(point: Message, name: str, labels: Labels) -> Iterator[_Point]:
    bounds = [number(bound) for bound in islice(point.explicit_bounds, _MOST_BUCKETS)]
    counts = accumulate(islice(point.bucket_counts, len(bounds)))
    for bound, count in zip(bounds, counts, strict=False):
        yield _Point({NAME: f"{name}_bucket", **labels, "le": bound}, float(count))
    yield _Point({NAME: f"{name}_bucket", **labels, "le": "+Inf"}, float(point.count))
    yield _Point({NAME: f"{name}_sum", **labels}, point.sum)
    yield _Point({NAME: f"{name}_count", **labels}, float(point.count))
