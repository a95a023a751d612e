"""`kubectl port-forward` against pods whose port is an echo server."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mesh.local.api import spdy
from tests.pure.local.api.manifests import pod, running, service
from tests.pure.local.api.running import KUBECTL, MISSING, Running
from tests.pure.local.api.test_http import call

needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason=MISSING)


@contextmanager
def forwarded(api: Running, *what: str) -> Iterator[int]:
    """The local port that kubectl listens on, while it runs."""
    made = api.run(api.store.create(pod())).object
    api.run(api.store.update({**made, "status": running()}, subresource="status"))
    command = api.command("port-forward", "--address", "127.0.0.1", *what)
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=api.environment()
    ) as forwarding:
        assert forwarding.stdout
        line = forwarding.stdout.readline()
        found = re.search(r"127\.0\.0\.1:(\d+) ->", line)
        try:
            assert found, line + forwarding.stdout.read()
            yield int(found[1])
        finally:
            forwarding.terminate()


def echoed(port: int, content: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(content)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


@needs_kubectl
def test_connections_come_and_go_through_one_forward(api: Running) -> None:
    large = os.urandom(1_000_000)
    with forwarded(api, "pod/catalog-v1-0", ":50051") as port:
        assert echoed(port, b"first") == b"first"
        assert echoed(port, large) == large
        assert echoed(port, b"") == b""
    assert api.ports.idle.wait(10), "every connection to the pod was closed"


@needs_kubectl
def test_a_service_is_forwarded_to_one_of_its_pods(api: Running) -> None:
    numbered = service()
    numbered["spec"]["ports"][0]["targetPort"] = 50051
    api.kubectl("create", "-f", "-", sent=numbered)
    with forwarded(api, "svc/catalog", ":50051") as port:
        assert echoed(port, b"by service") == b"by service"


@needs_kubectl
def test_a_port_where_nothing_listens_ends_the_connection(api: Running) -> None:
    with forwarded(api, "pod/catalog-v1-0", ":9") as port:
        assert echoed(port, b"") == b""


def test_other_protocols_are_refused(api: Running) -> None:
    upgrade = {
        "connection": "Upgrade",
        "upgrade": "websocket",
        "sec_websocket_version": "13",
        "sec_websocket_key": "AAAAAAAAAAAAAAAAAAAAAA==",
        "sec_websocket_protocol": "v4.channel.k8s.io",
    }
    path = "/api/v1/namespaces/shop/pods/none/portforward"
    status, _, told = call(api, "GET", path, **upgrade)
    assert (status, told["reason"]) == (400, "BadRequest")
    known = {**upgrade, "sec_websocket_protocol": "SPDY/3.1+portforward.k8s.io"}
    assert call(api, "GET", path, **known)[0] == 404
    assert call(api, "GET", path, **known, authorization="Bearer wrong")[0] == 401
    assert call(api, "GET", "/api/v1/namespaces/shop/pods/none/exec", **known)[0] == 404


def test_frames_may_come_in_any_pieces() -> None:
    frames = spdy.data(1, b"abc") + spdy.pong(7) + spdy.reset(3) + spdy.data(1, b"", last=True)
    whole = spdy.Connection()
    events = list(whole.receive(frames))
    assert events == [
        spdy.Data(1, b"abc", False),
        spdy.Pinged(7),
        spdy.Reset(3),
        spdy.Data(1, b"", True),
    ]
    pieces = spdy.Connection()
    assert [event for byte in frames for event in pieces.receive(bytes([byte]))] == events


@pytest.mark.parametrize(
    "frame", [b"\x80\x02" + bytes(20), b"\x80\x03\x00\x01" + bytes(3) + b"\x0c" + bytes(12)]
)
def test_what_is_not_spdy_is_an_error(frame: bytes) -> None:
    with pytest.raises(ValueError, match=r"another protocol|cannot be read"):
        list(spdy.Connection().receive(frame))
