"""Calls aborted and delayed by the mesh's own fault injection, in the one VirtualService of a service; on both engines."""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.scenarios.engine import Engine, Object

SERVICES = ("inventory", "payments", "shipping", "catalog")
SHARES = (20, 50)
LASTS = 1.5  # seconds
DELAYS = ("0.3s", "1s")


def of(shop: Engine) -> Sequence[Callable[[random.Random], Awaitable[str]]]:
    return [functools.partial(abort_calls, shop), functools.partial(delay_calls, shop)]


async def abort_calls(shop: Engine, source: random.Random) -> str:
    share = source.choice(SHARES)
    abort = {"abort": {"grpcStatus": "UNAVAILABLE", "percentage": {"value": share}}}
    return f"aborted {share} % of the calls to {await _injected(shop, source, abort)} for {LASTS:g} s"


async def delay_calls(shop: Engine, source: random.Random) -> str:
    share, delay = source.choice(SHARES), source.choice(DELAYS)
    fault = {"delay": {"fixedDelay": delay, "percentage": {"value": share}}}
    where = await _injected(shop, source, fault)
    return f"delayed {share} % of the calls to {where} by {delay} for {LASTS:g} s"


async def _injected(shop: Engine, source: random.Random, fault: Object) -> str:
    """The service whose calls had the fault for a while."""
    service = source.choice(SERVICES)

    def change(spec: Object) -> None:
        for route in spec["http"]:
            route["fault"] = fault

    try:
        await asyncio.to_thread(shop.edit, "VirtualService", service, change)
        await asyncio.sleep(LASTS)
    finally:
        await asyncio.to_thread(shop.restore)
    return service
