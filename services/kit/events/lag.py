"""Says how far publishing is behind.

Input: the outbox. Output: three gauges, and a line in the log when events have waited too long or are dead letters, every
now and then while they are, and when none is any more.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.events import outbox
from services.kit.events.outbox import Lag
from services.kit.telemetry import Gauge, Telemetry

INTERVAL = 10.0
LATE = 5.0
"""Seconds that an event may wait before it is worth a word."""

WAITING = Gauge("events.outbox.waiting", "Events that are not yet published", "{event}")
OLDEST = Gauge("events.outbox.oldest", "How long the oldest of them has waited", "s")
DEAD = Gauge("events.outbox.dead", "Dead letters: events that hold back their aggregate", "{event}")


async def watch(
    database: Database,
    now: Callable[[], datetime],
    log: FilteringBoundLogger,
    telemetry: Telemetry,
    interval: float = INTERVAL,
) -> None:
    """For ever."""
    behind = False
    while True:
        with contextlib.suppress(Unavailable):
            async with database.read() as connection:
                found = await outbox.lag(connection, now())
            behind = _say(found, behind, log)
            for gauge, value in ((WAITING, found.waiting), (OLDEST, found.oldest), (DEAD, found.dead)):
                telemetry.measured(gauge, value)
        await asyncio.sleep(interval)


def _say(found: Lag, behind: bool, log: FilteringBoundLogger) -> bool:
    """Whether events are behind now."""
    about = {"waiting": found.waiting, "oldest_seconds": round(found.oldest, 1), "dead_letters": found.dead}
    late = found.oldest > LATE or found.dead > 0
    if late:
        log.warning("events are behind", **about)
    elif behind:
        log.info("events are no longer behind", **about)
    return late
