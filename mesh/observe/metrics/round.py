"""One round of scraping: the proxies' answers as values of series, with Istio's names and labels. Used by scraper."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from mesh.observe.exposition import Sample, samples
from mesh.observe.istio import PREFIX, Pod, Pods, translated
from mesh.observe.metrics.series import NAME, Labels, Series, Store

JOB: Final = "envoy"

Known = dict[tuple[str, str], Series | None]
"""Which series a line is of, by pod and by what stands before the value; None where there was no room for it."""


class Round:
    """Values are added up: what Envoy tells apart and Istio does not is one series. ``refused`` samples had no room."""

    def __init__(self, store: Store, pods: Pods, before: Known) -> None:
        """``before`` is ``known`` of the round before, of the same pods."""
        self.values: dict[Series, float] = defaultdict(float)
        self.known: Known = {}
        self.refused = 0
        self._store = store
        self._pods = pods
        self._before = before

    def take(self, pod: Pod, lines: Iterable[str]) -> int:
        """What a proxy's admin interface printed, but comments; how many lines."""
        before = len(self.known)
        for line in lines:
            head, _, value = line.rpartition(" ")
            series = self.known[pod.name, head] = self._series((pod.name, head), line, pod)
            if series is None:
                self.refused += 1
            else:
                self.values[series] += float(value)
        return len(self.known) - before

    def put(self, pod: Pod | None, found: Iterable[Sample]) -> None:
        """What is said of a pod's proxy, or with None of the observatory."""
        self.add((_labels(sample, pod), sample.value) for sample in found)

    def add(self, found: Iterable[tuple[Labels, float]]) -> None:
        """Values of series whose labels are whole."""
        for labels, value in found:
            series = self._store.series(labels)
            if series is None:
                self.refused += 1
            else:
                self.values[series] = value

    def _series(self, key: tuple[str, str], line: str, pod: Pod) -> Series | None:
        found = self._before.get(key)
        if found is not None or (key in self._before and self._store.full):
            return found
        read = next(samples(line), None)
        if read is None:
            return None
        named = translated(read, pod, self._pods) if read.name.startswith(PREFIX) else read
        return self._store.series(_labels(named, pod))


def _labels(found: Sample, pod: Pod | None) -> Labels:
    """An empty label is none, as for Prometheus."""
    told = {name: value for name, value in found.labels.items() if value}
    return {NAME: found.name, **told, **target(pod)}


def target(pod: Pod | None) -> Mapping[str, str]:
    """The labels that Prometheus gives all that comes from one target: a pod's proxy, or the observatory."""
    if pod is None:
        return {"job": "observatory", "instance": "observatory"}
    return {"job": JOB, "instance": pod.peer, "pod": pod.name, "namespace": pod.namespace}
