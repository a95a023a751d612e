"""What happens around each request, in one place, as services/kit/boundary.py does around each call.

1. The caller's trace, correlation id and deadline become the current Call; the deadline is ours or the one that Envoy says it has,
   whichever is sooner. It holds until the answer begins; a stream sets its own (streaming).
2. A fault asked for in development is carried out; a body is taken up to its limit.
3. The request is answered. What is raised becomes a problem (problem, and api for FastAPI).
4. What goes with every answer is added (answering), and the request is recorded under its route.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.kit import fault
from services.kit.answer import ATTEMPT
from services.kit.app import App
from services.kit.call import CURRENT, Call
from services.kit.errors import TimedOut
from services.kit.http import problem
from services.kit.http.answering import Answer
from services.kit.http.body import limited

EXPECTED = "x-envoy-expected-rq-timeout-ms"
GONE = 499  # nginx's: the client did not wait
FAILED = 500


@dataclass(frozen=True)
class Boundary:
    """Around `inside`, whose own errors are of `domain`."""

    inside: ASGIApp
    app: App
    domain: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        clock = asyncio.get_running_loop().time
        started = clock()
        verb = scope.get("method", "CONNECT")  # a WebSocket has none
        call = Call(verb, started + self.app.settings.request, lambda: _headers(scope), self.app.origin)
        call.deadline = min(call.deadline, started + _expected(call))
        CURRENT.set(call)
        if scope["type"] != "http":
            await self.inside(scope, receive, send)
            return
        answer = Answer(call, self.app.settings, send)
        status = GONE
        try:
            await self._answered(call, answer, scope, receive)
            status = answer.status or FAILED
        finally:
            call.method = f"{verb} {route.path}" if (route := scope.get("route")) else verb
            self.app.telemetry.served(call, status, started, clock())

    async def _answered(self, call: Call, answer: Answer, scope: Scope, receive: Receive) -> None:
        most = self.app.settings.max_body
        try:
            async with asyncio.timeout_at(call.deadline) as limit:

                async def send(message: Message) -> None:
                    limit.reschedule(None)  # an answer that has begun may take its time
                    await answer.send(message)

                await self._fault(call)
                await self.inside(scope, limited(scope, receive, most), send)
        except Exception as error:
            if answer.status:  # the framework has answered already, or it is too late to
                return
            late = isinstance(error, TimeoutError) and limit.expired()
            said = TimedOut("ERROR_REASON_TIMED_OUT", "took longer than it may take") if late else error
            told = report(said, call, self.app, self.domain)
            await problem.response(told)(scope, receive, answer.send)

    async def _fault(self, call: Call) -> None:
        settings = self.app.settings
        if settings.development:
            wanted = fault.chosen(call.headers, settings.service, call.method, settings.pod, settings.version)
            if wanted:
                await fault.carry_out(wanted, settings.service, int(call.headers.get(ATTEMPT, "1")))


def report(error: Exception, call: Call, app: App, domain: str) -> problem.Problem:
    """What the caller is told; it is logged, with its stack when it is our own fault."""
    told = problem.of(error, domain)
    if told.status == FAILED:
        app.log.error("request failed", method=call.method, status=told.status, exc_info=error)
    else:
        app.log.info("request refused", method=call.method, status=told.status, message=told.detail)
    return told


def _headers(scope: Scope) -> Iterable[tuple[str, str]]:
    """Those that can be passed on: gRPC takes printable ASCII only."""
    for name, value in scope["headers"]:
        text = value.decode("latin-1")
        if text.isascii() and text.isprintable():
            yield name.decode("latin-1"), text


def _expected(call: Call) -> float:
    """Seconds that the proxy in front will wait."""
    said = call.headers.get(EXPECTED, "")
    return int(said) / 1000 if said.isdecimal() and int(said) else float("inf")
