"""Requests that change nothing are sent, and what comes back is understood as Envoy's own answer or as the application's."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mesh.explain.answer import Verdict
from mesh.live import counted
from mesh.live.sent import Came, verdict
from mesh.live.visit import visit

ENVOY = {"server": "envoy"}
GRPC = {"content-type": "application/grpc", **ENVOY}


@pytest.mark.parametrize(
    ("came", "expected"),
    [
        (Came(0, {}, "ConnectionRefusedError"), Verdict.UNREACHABLE),
        (Came(200, {**GRPC, "grpc-status": "7", "grpc-message": "RBAC: access denied"}, ""), Verdict.REFUSED),
        (Came(200, {**GRPC, "grpc-status": "7", "grpc-message": "not yours"}, ""), Verdict.ALLOWED),
        (Came(200, {**GRPC, "grpc-status": "16", "grpc-message": "Jwt is missing"}, ""), Verdict.REFUSED),
        (Came(200, {**GRPC, "grpc-status": "12"}, ""), Verdict.UNROUTED),
        (Came(200, {**GRPC, "grpc-status": "12", "x-envoy-upstream-service-time": "1"}, ""), Verdict.ALLOWED),
        (
            Came(200, {**GRPC, "grpc-status": "14", "grpc-message": "no healthy upstream"}, ""),
            Verdict.UNREACHABLE,
        ),
        (Came(200, {**GRPC, "grpc-status": "13", "grpc-message": "cannot parse"}, ""), Verdict.ALLOWED),
        (Came(403, ENVOY, "RBAC: access denied"), Verdict.REFUSED),
        (Came(404, ENVOY, ""), Verdict.UNROUTED),
        (Came(404, ENVOY, "no such page"), Verdict.ALLOWED),
        (Came(503, ENVOY, "upstream connect error or disconnect/reset before headers"), Verdict.UNREACHABLE),
        (Came(503, ENVOY, "maintenance"), Verdict.ALLOWED),
        (Came(503, ENVOY, ""), Verdict.UNREACHABLE),
        (Came(502, ENVOY, ""), Verdict.UNREACHABLE),
    ],
)
def test_an_answer_tells_who_gave_it(came: Came, expected: Verdict) -> None:
    assert verdict(came) is expected


@contextmanager
def server(answer: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Answers every connection once, after it has heard something if it is to answer anything; yields its port and what it heard."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    connection, _ = listening.accept()
                except OSError:
                    return
                with connection:
                    if answer.startswith(b"HTTP"):
                        heard.append(connection.recv(4096))
                    connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], heard
        listening.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def order(port: int, **more: object) -> dict[str, object]:
    made: dict[str, object] = {
        "host": "127.0.0.1",
        "port": port,
        "count": 2,
        "seconds": 5,
        "path": "",
        "body": "",
    }
    return {**made, **more}


def test_a_request_is_sent_as_often_as_asked_with_its_own_authority() -> None:
    with server(b"HTTP/1.1 403 Forbidden\r\nServer: envoy\r\ncontent-length: 6\r\n\r\ndenied") as (
        port,
        heard,
    ):
        sent = order(port, path="/a", verb="POST", headers={"host": "web:80", "te": "trailers"}, body="00ff")
        found = visit(sent)
    assert found == [[403, {"server": "envoy", "content-length": "6"}, "denied"]] * 2
    assert heard[0].startswith(b"POST /a HTTP/1.1\r\nhost: web:80\r\nte: trailers\r\ncontent-length: 2\r\n")
    assert heard[0].endswith(b"\r\n\r\n\x00\xff") or heard[0].endswith(b"\r\n\r\n")


def test_a_connection_of_bytes_is_open_or_closed() -> None:
    with server(b"INFO") as (port, _):
        assert [status for status, _, _ in visit(order(port))] == [1, 1]
    with server(b"") as (port, _):
        assert [status for status, _, _ in visit(order(port))] == [0, 0]
    assert [status for status, _, _ in visit(order(port))] == [0, 0], "nobody listens there any more"


def test_counts_are_those_of_all_endpoints_of_a_cluster() -> None:
    def host(total: int) -> dict[str, object]:
        return {"stats": [{"name": "cx_total", "value": "9"}, {"name": "rq_total", "value": str(total)}]}

    page = {"cluster_statuses": [{"name": "a", "host_statuses": [host(2), host(3)]}, {"name": "b"}]}
    assert counted.counts(page) == {"a": 5, "b": 0}
