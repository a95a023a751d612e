"""A dash of given sources on a free port, in a thread; and questions to it, by plain HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from mesh.dash.app import app
from mesh.dash.guard import Guard
from mesh.dash.sources import Sources

SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        return json.loads(self.text)


@dataclass
class Served:
    """``links`` are those that the terminal would show."""

    port: int
    links: list[str] = field(default_factory=list)
    cookie: str = ""

    def ask(self, path: str, body: object = None, **headers: str) -> Answer:
        """With the cookie once `enter` got it; a body is posted as the page does it, unless headers say otherwise."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
        sent = {"Host": f"127.0.0.1:{self.port}", **({"Cookie": self.cookie} if self.cookie else {})}
        data = None
        if body is not None:
            data = body if isinstance(body, str) else json.dumps(body)
            sent |= {"Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(
                "GET" if data is None else "POST", path, data, {k: v for k, v in sent.items() if v}
            )
            answer = connection.getresponse()
            return Answer(
                answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read().decode()
            )
        finally:
            connection.close()

    def enter(self) -> Served:
        answer = self.ask(self.links[-1].partition(str(self.port))[2])
        assert answer.status == 303, answer
        self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return self


@contextmanager
def served(sources: Sources) -> Iterator[Served]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = Served(listener.getsockname()[1])
        guarded = Guard(app(sources), found.port, found.links.append)
        server: Any = uvicorn.Server(uvicorn.Config(guarded, log_config=None, lifespan="off"))
        server.capture_signals = contextlib.nullcontext
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield found
        finally:
            server.should_exit = True
            thread.join(SECONDS)
