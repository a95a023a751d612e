"""Metrics of a mesh, from being scraped to being asked for: opened and closed together by collector."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mesh.observe.exposition import Sample
from mesh.observe.metrics import text
from mesh.observe.metrics.own import TYPES, own
from mesh.observe.metrics.scraper import Scraper
from mesh.observe.metrics.sent import Sent
from mesh.observe.metrics.series import Bounds, Store
from mesh.observe.receiver import Receiver
from mesh.observe.spans import Spans


@dataclass(frozen=True)
class Metrics:
    """``store`` is filled by ``scraper``, which asks proxies and takes what services sent."""

    store: Store
    scraper: Scraper
    sent: Sent

    @property
    def types(self) -> Mapping[str, str]:
        """ "counter", "gauge" or "histogram" by family."""
        return {**self.sent.types, **TYPES, **self.scraper.types}

    def routes(self) -> list[Route]:
        return [Route("/metrics", self._text)]

    async def _text(self, request: Request) -> Response:
        told = await asyncio.to_thread(text.text, self.store.current(), self.types)
        return Response(told, headers={"Content-Type": text.MEDIA})


@asynccontextmanager
async def measure(
    targets: Path | None, receiver: Receiver, spans: Spans, sent: Sent, bounds: Bounds | None = None
) -> AsyncIterator[Metrics]:
    """Scrapes while the context lasts, the mesh's proxies when ``targets`` names their file, and the observatory itself."""
    store = Store(bounds)

    def said() -> Iterator[Sample]:
        return own(receiver, spans, store, scraper.seconds)

    scraper = Scraper(targets or Path("nowhere"), store, said, sent.current)
    running = asyncio.create_task(scraper.run())
    try:
        yield Metrics(store, scraper, sent)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
