"""Says how far publishing is behind, while it is.

Input: the outbox. Output: a line in the log when events have waited too long, every now and then while they do, and
when none do any more; dead letters likewise.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.events import outbox
from services.kit.events.outbox import Lag

INTERVAL = 10.0
LATE = 5.0
"""Seconds that an event may wait before it is worth a word."""


async def watch(
    database: Database, now: Callable[[], datetime], log: FilteringBoundLogger, interval: float = INTERVAL
) -> None:
    """For ever."""
    behind = False
    while True:
        try:
            async with database.read() as connection:
                found = await outbox.lag(connection, now())
        except Unavailable:
            await asyncio.sleep(interval)
            continue
        late = found.oldest > LATE or found.dead > 0
        if late:
            log.warning("events are behind", **_told(found))
        elif behind:
            log.info("events are no longer behind", **_told(found))
        behind = late
        await asyncio.sleep(interval)


def _told(found: Lag) -> dict[str, object]:
    return {"waiting": found.waiting, "oldest_seconds": round(found.oldest, 1), "dead_letters": found.dead}
