"""Keys of token issuers, fetched from a real HTTP server: found, kept fresh, kept when it fails, and never taken when they are none."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from mesh.link.link import link
from mesh.local.jwks import Keys
from mesh.model.mesh import CLUSTER, Mesh, Placement
from mesh.resources.object import parse

ONE = json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}]})
TWO = json.dumps({"keys": [{"kty": "RSA", "n": "AQ", "e": "AQAB"}]})
POLICY = """
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: users, namespace: shop}
spec: {jwtRules: [{issuer: "%s", jwksUri: "%s"}]}
"""


class Pages:
    """What the server answers by path, and the hosts it was asked as; a path without a page is 404."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.hosts: list[str] = []
        self.port = 0


@contextmanager
def serving() -> Iterator[Pages]:
    pages = Pages()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages.hosts.append(self.headers["host"])
            found = pages.pages.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write((found or "").encode())

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        pages.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield pages
        server.shutdown()
        thread.join()


@asynccontextmanager
async def following(mesh: Mesh, placement: Placement = CLUSTER) -> AsyncIterator[Keys]:
    keys = Keys(again=0.01, retry=0.01)
    task = asyncio.create_task(keys.run())
    keys.follow(mesh, placement)
    yield keys
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(keys: Keys, holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await keys.changed.wait()
            keys.changed.clear()


def policies(issuer: str, url: str, more: str = "") -> Mesh:
    objects, problems = parse(POLICY % (issuer, url) + more, "a.yaml")
    assert not problems
    return link(objects)[0]


async def test_keys_are_fetched_and_kept_fresh() -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/keys"
        server.pages["/keys"] = ONE
        async with following(policies("me", url)) as keys:
            await until(keys, lambda: keys.found == {("me", url): ONE})
            server.pages["/keys"] = TWO
            await until(keys, lambda: keys.found == {("me", url): TWO})


async def test_an_issuer_says_itself_where_its_keys_are() -> None:
    with serving() as server:
        issuer = f"http://127.0.0.1:{server.port}/"
        server.pages["/.well-known/openid-configuration"] = json.dumps({"jwks_uri": f"{issuer}keys"})
        server.pages["/keys"] = ONE
        async with following(policies(issuer, "")) as keys:
            await until(keys, lambda: keys.found == {(issuer, ""): ONE})


@pytest.mark.parametrize("answer", ["", "<html>", '{"keys": [{"kty": "RSA"}]}', None])
async def test_what_is_no_set_of_keys_is_not_taken_and_asked_for_again(answer: str | None) -> None:
    with serving() as server:
        url = f"http://127.0.0.1:{server.port}/keys"
        if answer is not None:
            server.pages["/keys"] = answer
        async with following(policies("me", url)) as keys:
            async with asyncio.timeout(20):
                while len(server.hosts) < 2:  # noqa: ASYNC110 - the server is another thread
                    await asyncio.sleep(0.005)
            assert keys.found == {}
            server.pages["/keys"] = ONE
            await until(keys, lambda: bool(keys.found))
            server.pages["/keys"] = "gone"
            seen = len(server.hosts)
            async with asyncio.timeout(20):
                while len(server.hosts) < seen + 2:  # noqa: ASYNC110 - the server is another thread
                    await asyncio.sleep(0.005)
            assert keys.found == {("me", url): ONE}


SERVICE = """
---
apiVersion: v1
kind: Service
metadata: {name: issuer, namespace: shop}
spec: {selector: {app: issuer}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Pod
metadata: {name: issuer, namespace: shop, labels: {app: issuer}}
spec: {containers: [{name: app, image: issuer, ports: [{containerPort: 8080}]}]}
"""


@pytest.mark.parametrize("host", ["issuer.shop", "issuer.shop.svc", "issuer.shop.svc.cluster.local"])
async def test_a_service_of_the_mesh_is_asked_at_its_sidecar(host: str) -> None:
    with serving() as server:
        url = f"http://{host}/keys"
        server.pages["/keys"] = ONE
        placement = Placement(True, inbound={(("shop", "issuer"), 8080): server.port})
        async with following(policies("me", url, SERVICE), placement) as keys:
            await until(keys, lambda: keys.found == {("me", url): ONE})
        assert set(server.hosts) == {host}
