"""What goes with every answer: who gave it, under which id, and what a browser must not do with it. Used by boundary."""

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

from services.kit.answer import served_by
from services.kit.call import Call
from services.kit.settings import Settings

#: https://owasp.org/www-project-secure-headers/; an answer that says otherwise, such as a page, is left alone.
SECURITY = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
HSTS = "max-age=31536000"
ERROR = 400


class Answer:
    """An answer on its way out. `status` is 0 until it has begun."""

    def __init__(self, call: Call, settings: Settings, send: Send) -> None:
        self._call = call
        self._settings = settings
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add(MutableHeaders(scope=message))
        await self._send(message)

    def _add(self, headers: MutableHeaders) -> None:
        for name, value in SECURITY.items():
            headers.setdefault(name, value)
        if self._call.headers.get("x-forwarded-proto") == "https":
            headers.setdefault("strict-transport-security", HSTS)
        headers["x-request-id"] = self._call.correlation_id
        if self._settings.development or self.status >= ERROR:
            for name, value in served_by(self._call, self._settings):
                headers[name] = value
