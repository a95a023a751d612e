"""Says how many sagas are under way, and whether any is stuck.

Input: the sagas in the database. Output: three gauges, and a line in the log every now and then while some are stuck.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import datetime

from structlog.typing import FilteringBoundLogger

from services.kit.database import Database
from services.kit.errors import Unavailable
from services.kit.saga import store
from services.kit.telemetry import Gauge, Telemetry

INTERVAL = 10.0

UNFINISHED = Gauge("sagas.unfinished", "Sagas that have not ended", "{saga}")
STUCK = Gauge("sagas.stuck", "Those that have failed too often and need somebody to look at them", "{saga}")
OLDEST = Gauge("sagas.oldest", "How long ago the oldest of them began", "s")


async def watch(
    database: Database,
    now: Callable[[], datetime],
    log: FilteringBoundLogger,
    telemetry: Telemetry,
    interval: float = INTERVAL,
) -> None:
    """For ever."""
    while True:
        with contextlib.suppress(Unavailable):
            async with database.read() as connection:
                found = await store.count(connection, now())
            if found.stuck:
                log.error("sagas are stuck", stuck=found.stuck, unfinished=found.unfinished)
            values = ((UNFINISHED, found.unfinished), (STUCK, found.stuck), (OLDEST, found.oldest))
            for gauge, value in values:
                telemetry.measured(gauge, value)
        await asyncio.sleep(interval)
