"""Who may speak to the API: programs of this machine that name it as itself and know the token.

In front of everything, for requests and websockets alike. The Host header is checked because a web page can
make a browser connect here under a name of its own (DNS rebinding); a request with an Origin is a browser's,
and no browser is a client of this API.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from mesh.local.api.answer import status
from mesh.local.store import Refused

HOSTS = ("127.0.0.1", "localhost")


class Guard:
    """ASGI middleware: passes on what may come in, answers the rest with 401 or 403 as a Status."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self._refusal(scope["headers"])
        if refused is None:
            await self._app(scope, receive, send)
        else:
            await status(refused)(scope, receive, send)

    def _refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> Refused | None:
        found = dict(headers)
        host = found.get(b"host", b"").decode("latin-1").rpartition(":")[0]
        if host not in HOSTS or b"origin" in found:
            return Refused(403, "Forbidden", "this API answers only programs of this machine, at 127.0.0.1")
        if not hmac.compare_digest(found.get(b"authorization", b""), self._expected):
            return Refused(401, "Unauthorized", "Unauthorized: use the kubeconfig that `mesh up` wrote")
        return None
