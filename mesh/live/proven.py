"""A question answered by the proxies that run, and then asked of them for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from mesh.explain.answer import Answer
from mesh.explain.question import Asked, Question, asked
from mesh.live import counted
from mesh.live.compared import compared
from mesh.live.scene import Live
from mesh.live.sent import Came, Order, difference, order, unsendable

#: Sends what an order says from the place of the workload that is asked about. Raises Unanswered.
Send = Callable[[Asked, Order], list[Came]]


def proven(question: Question, live: Live, send: Send, requests: int) -> Answer:
    """What differs from what is written, or from what a real request met, is in the Answer; ``requests`` are sent where there are shares to
    count, else one. Raises Unknown and Unanswered."""
    found = compared(question, live)
    what = asked(question, live.running)
    if why := unsendable(what, found):
        return replace(found, note=f"not sent: {why}")
    return replace(found, differs=(*found.differs, *_differences(live, what, found, send, requests)))


def _differences(live: Live, what: Asked, found: Answer, send: Send, requests: int) -> Iterator[str]:
    shared = len({(each.host, each.subset) for each in found.destinations}) > 1 and what.request is not None
    address, port = what.connection.address, what.connection.port
    before = live.page(what.workload, counted.PATH) if shared else {}
    came = send(what, order(what, address, port, requests if shared else 1))
    yield from filter(None, [difference(found, came)])
    if shared:
        after = live.page(what.workload, counted.PATH)
        yield from filter(None, [counted.difference(found, counted.counts(before), counted.counts(after))])
