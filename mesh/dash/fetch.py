"""One HTTP request and its answer, for the clients of Prometheus, Jaeger and Kubernetes. Blocking: callers are on threads."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

SECONDS = 10.0
LARGEST = 64 * 1024 * 1024


class Unreachable(Exception):
    """Nobody answers there, or not as it should. The text says who, and what to look at."""


@dataclass(frozen=True)
class Server:
    """``url`` may have a path of its own, under which everything is asked for."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    context: ssl.SSLContext | None = None

    def ask(self, path: str, method: str = "GET", body: object = None) -> tuple[int, Any]:
        """(status, parsed JSON; None when the body is not JSON). Raises Unreachable."""
        where = urlsplit(self.url)
        connection = self._connection(where.scheme, str(where.hostname), where.port)
        sent = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "Accept": "application/json"}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(method, where.path.rstrip("/") + path, sent, headers)
            answer = connection.getresponse()
            text = answer.read(LARGEST)
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"{self.url} does not answer: {error or type(error).__name__}") from None
        finally:
            connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, None

    def _connection(self, scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
        if scheme == "https":
            context = self.context or ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=SECONDS, context=context)
        return http.client.HTTPConnection(host, port, timeout=SECONDS)


def is_ok(status: int) -> bool:
    return HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
