"""Who may use the page: whoever opened it with the token, from this machine, and no other page in the same browser.

- A link with a token is good for one browser, once: it is exchanged for a cookie, and another is printed.
- The Host must be ours: a site that has its name point at 127.0.0.1 (DNS rebinding) comes with a Host of its own.
- A request that changes something must say that it is JSON and come from our origin: another site's form or fetch cannot do both without
  a preflight, which nobody answers.
- What is answered may load nothing from elsewhere, and be framed by nobody.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE: Final = frozenset({"GET", "HEAD"})
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "worker-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_EXPIRED: Final = (
    "this link has been used, or is of an earlier `mesh dash`: the newest is where it was started"
)


class Guard:
    """Before the application. ``said`` is told each link, the first one at once."""

    def __init__(self, app: ASGIApp, port: int, said: Callable[[str], None]) -> None:
        self._app = app
        self._port = port
        self._said = said
        self._session = secrets.token_urlsafe(32)
        self._token = ""
        self._offer()

    def _offer(self) -> None:
        self._token = secrets.token_urlsafe(32)
        self._said(f"http://127.0.0.1:{self._port}/?token={self._token}")

    @property
    def _cookie(self) -> str:
        """Browsers send cookies to every port of a host: each `mesh dash` has one of its own."""
        return f"mesh-dash-{self._port}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        await (refusal or self._app)(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> Response | None:
        """What is answered instead of the application, if anything."""
        headers = Headers(scope=scope)
        path: str = scope["path"]
        if headers.get("host") not in self._hosts:
            return PlainTextResponse("this is only for 127.0.0.1", 403)
        if path == "/" and (given := QueryParams(scope["query_string"]).get("token")):
            return self._enter(given)
        if not path.startswith("/api/"):
            return None  # the page itself is no secret: everybody has it
        if not self._known(headers.get("cookie", "")):
            return JSONResponse({"error": "open the link that `mesh dash` printed"}, 401)
        if scope["method"] not in _SAFE and not self._ours(headers):
            return JSONResponse({"error": "only the page itself may change something"}, 403)
        return None

    @property
    def _hosts(self) -> tuple[str, str]:
        return f"127.0.0.1:{self._port}", f"localhost:{self._port}"

    def _enter(self, given: str) -> Response:
        if not hmac.compare_digest(given.encode(), self._token.encode()):
            return PlainTextResponse(_EXPIRED, 403)
        self._offer()
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self._cookie, self._session, httponly=True, samesite="strict", path="/")
        return answer

    def _known(self, cookies: str) -> bool:
        try:
            found = SimpleCookie(cookies).get(self._cookie)
        except CookieError:
            return False
        return found is not None and hmac.compare_digest(found.value.encode(), self._session.encode())

    def _ours(self, headers: Headers) -> bool:
        origins = {f"http://{host}" for host in self._hosts}
        media = headers.get("content-type", "").partition(";")[0].strip().lower()
        return headers.get("origin") in origins and media == "application/json"


def _with_headers(send: Send) -> Send:
    async def answer(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(_HEADERS)
        await send(message)

    return answer
