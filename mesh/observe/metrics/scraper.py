"""Every five seconds, what all proxies of the mesh have counted: asked for, and put into the store.

Whom to ask is in the file that mesh.local.targets writes. One round asks all, some at a time, and gives everything the time at
which it began. A proxy that does not answer in time has `up` 0, and its series end.
"""

from __future__ import annotations

import asyncio
import logging
import time
import urllib.parse
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.observe.exposition import Sample
from mesh.observe.istio import PREFIX, Pod, Pods
from mesh.observe.metrics.ask import NoAnswer, ask
from mesh.observe.metrics.round import Known, Round
from mesh.observe.metrics.series import Labels, Store

STEP_SECONDS: Final = 5.0
AT_ONCE: Final = 32

_TIMEOUT_SECONDS: Final = 4.0
#: Each look merges what Envoy's threads have measured, for the next one to see.
_MERGE: Final = "/stats?filter=^$"
#: Istio's metrics; retries, refusals by circuit breakers, open circuits and ejected hosts; the proxy itself.
_WANTED: Final = (
    r"^istio\.",
    r"^cluster\.outbound.*\.upstream_(rq_retry.*|rq_pending_overflow|cx_overflow)$",
    r"^cluster\.outbound.*\.(circuit_breakers\..*_open|outlier_detection\.ejections_(active|enforced_total))$",
    r"^server\.(uptime|memory_allocated)$",
)
_STATS: Final = "/stats/prometheus?usedonly&filter=" + urllib.parse.quote("|".join(_WANTED))

Own = Callable[[], Iterable[Sample]]
Sent = Callable[[float], Iterable[tuple[Labels, float]]]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Target:
    """How asking a proxy went: ``at`` seconds since 1970, ``seconds`` it took, ``error`` "" when it answered."""

    pod: Pod
    at: float
    seconds: float
    text: str
    error: str


class Scraper:
    """Fills ``store`` from the mesh whose targets are in ``file``; sockets are relative to that file's folder.

    ``own`` is what the observatory says of itself, in each round; ``sent`` what was sent to it and holds at a time.
    """

    def __init__(self, file: Path, store: Store, own: Own = tuple, sent: Sent = lambda now: ()) -> None:
        self.targets: list[Target] = []
        self.types: dict[str, str] = {}
        self.seconds = 0.0
        self._file = file
        self._store = store
        self._own = own
        self._sent = sent
        self._pods = Pods([])
        self._version = 0
        self._known: Known = {}

    async def run(self) -> None:
        """A round now and at each multiple of STEP_SECONDS, until it is cancelled; those that one overruns are left out."""
        while True:
            try:
                await self.round(time.time())
            except (OSError, ValueError) as error:
                log.warning("nothing was scraped: %s", error)
            await asyncio.sleep(STEP_SECONDS - time.time() % STEP_SECONDS)

    async def round(self, now: float) -> None:
        """``now`` is seconds since 1970. Raises OSError and ValueError when the file of targets cannot be read."""
        began = time.monotonic()
        self._read_pods()
        places = asyncio.Semaphore(AT_ONCE)
        self.targets = await asyncio.gather(*(self._ask(pod, now, places) for pod in self._pods.pods))
        round_ = Round(self._store, self._pods, self._known)
        for target in self.targets:
            count = round_.take(target.pod, self._values(target.text))
            round_.put(target.pod, _of_target(target, count))
        self._known = round_.known
        self.seconds = time.monotonic() - began
        round_.put(None, self._own())
        round_.add(self._sent(now))
        self._store.add(round(now * 1000), round_.values, round_.refused)

    def _read_pods(self) -> None:
        """Whatever was known of labels holds no longer when the pods are others."""
        version = self._file.stat().st_mtime_ns if self._file.exists() else 0
        if version != self._version:
            self._pods, self._known, self._version = Pods.read(self._file), {}, version

    async def _ask(self, pod: Pod, now: float, places: asyncio.Semaphore) -> Target:
        async with places:
            began = time.monotonic()
            text, error = await _answer(str(self._file.parent / pod.admin))
            return Target(pod, now, time.monotonic() - began, text, error)

    def _values(self, text: str) -> Iterator[str]:
        """The lines that are no comments; types are learned from those."""
        for line in text.splitlines():
            if not line.startswith("#"):
                yield line
            elif line.startswith("# TYPE ") and len(words := line.split()) == 4:
                self.types[words[2].replace(PREFIX, "istio_", 1)] = words[3]


async def _answer(socket: str) -> tuple[str, str]:
    """What the proxy has counted, and what is wrong, if anything is."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await ask(socket, _MERGE)
            return await ask(socket, _STATS), ""
    except NoAnswer as told:
        return "", str(told)
    except TimeoutError:
        return "", f"{socket}: no answer within {_TIMEOUT_SECONDS:g} s"


def _of_target(target: Target, count: int) -> Iterator[Sample]:
    """As Prometheus says it of whom it scrapes."""
    yield Sample("up", {}, 0.0 if target.error else 1.0)
    yield Sample("scrape_duration_seconds", {}, target.seconds)
    yield Sample("scrape_samples_scraped", {}, float(count))
