"""What a server of HTTP answers from its first moment: its health, and until the site behind it is open, that it starts.

/livez     200 while the process runs and its event loop turns
/readyz    200 while a request may be sent here, else 503
"""

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.gen.shop.rules.v1 import rules_pb2
from services.kit.errors import Unavailable
from services.kit.health import Health
from services.kit.http import problem

LIVE, READY = "/livez", "/readyz"
TRY_AGAIN = 1013  # RFC 6455's registry: "Try Again Later"


class Door:
    """Closed at first."""

    def __init__(self, health: Health) -> None:
        self._health = health
        self._inside: ASGIApp | None = None

    def open(self, inside: ASGIApp) -> None:
        self._inside = inside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] in (LIVE, READY):
            good = self._health.ready or scope["path"] == LIVE
            response = PlainTextResponse("ok" if good else "not ready", 200 if good else 503)
            await response(scope, receive, send)
        elif self._inside:
            await self._inside(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": TRY_AGAIN})
        else:
            error = Unavailable("ERROR_REASON_STARTING", "the service has not started yet")
            await problem.response(problem.of(error, rules_pb2.DESCRIPTOR.package))(scope, receive, send)
