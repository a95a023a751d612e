"""A relay in a process of its own: python -m tests.services.events.relaying DATABASE_URL EVENTS_URL OWNER."""

import asyncio
import random
import sys

import structlog

from services.kit.database import Database
from services.kit.events.broker import open_broker
from services.kit.events.outbox import Outbox
from services.kit.events.relay import Relay, Tools
from tests.services.events.world import RELAY, now


async def main(database: str, broker: str, owner: str) -> None:
    log, source = structlog.get_logger(), random.Random()
    tools = Tools(Database(database), Outbox(now, source), open_broker(broker, log), owner, now, source, log)
    await Relay(tools, RELAY).run()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
