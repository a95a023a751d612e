"""Sends a request as often as asked, and prints what came back. Needs nothing but Python, so that it also runs inside a container of a cluster.

HTTP/1.1 is what the standard library speaks; the proxies carry it on as whatever the other side speaks, gRPC too. Input: a JSON object on the
command line (host, port, verb, path, headers, body as hexadecimal, count, seconds); output: a JSON list of [status, headers, the body's beginning],
[0, {}, reason] where there was no answer. Without a path bytes are waited for on a bare connection, and status is 1 while that is open.
"""

import http.client
import json
import socket
import sys
from collections.abc import Callable
from typing import Any

MOST = 200
MOMENT = 0.5


def visit(order: dict[str, Any], dial: Callable[..., Any] = socket.create_connection) -> list[list[Any]]:
    """A list of answers. ``dial`` makes a connection to (host, port), in so many seconds."""
    once = _request if order["path"] else _connect
    return [_tried(once, order, dial) for _ in range(order["count"])]


def _tried(once: Callable[..., list[Any]], order: dict[str, Any], dial: Callable[..., Any]) -> list[Any]:
    try:
        return once(order, dial((order["host"], order["port"]), order["seconds"]))
    except (OSError, http.client.HTTPException) as error:
        return [0, {}, repr(error)]


def _request(order: dict[str, Any], stream: socket.socket) -> list[Any]:
    connection = http.client.HTTPConnection(order["host"])
    connection.sock = stream
    try:
        connection.putrequest(order["verb"], order["path"], skip_host=True, skip_accept_encoding=True)
        body = bytes.fromhex(order["body"])
        length = {"content-length": str(len(body))} if body else {}
        for name, value in {**order["headers"], **length}.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        if "grpc-status" not in headers and headers.get("content-type", "").startswith("application/grpc"):
            return [answer.status, headers, ""]  # a stream that has begun
        return [answer.status, headers, answer.read(MOST).decode(errors="replace")]
    finally:
        connection.close()


def _connect(order: dict[str, Any], stream: socket.socket) -> list[Any]:
    """A connection that is refused is closed at once, or when the first byte is asked for."""
    with stream:
        stream.settimeout(MOMENT)
        try:
            return [1, {}, ""] if stream.recv(MOST) else [0, {}, "closed"]
        except TimeoutError:
            return [1, {}, ""]


if __name__ == "__main__":
    json.dump(visit(json.loads(sys.argv[1])), sys.stdout)
