"""A container's log as `kubectl logs` asks for it, and its port as `kubectl port-forward` does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mesh.local.logs import Pods
from mesh.local.paths import Paths
from mesh.local.ports import ANNOTATION, Ports
from mesh.local.store import Deletion, Refused, Store, key_of

Object = dict[str, Any]
LINES = "".join(f"line {i}\n" for i in range(5))


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "state") as opened:
        yield opened


@pytest.fixture
async def pod(store: Store) -> Object:
    made = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "web-1", "namespace": "default"},
        "spec": {"containers": [{"name": "web", "image": "web"}]},
    }
    found: Object = (await store.create(made)).object
    return found


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    paths = Paths.below(tmp_path)
    log = paths.log("web-1", "web")
    log.parent.mkdir(parents=True)
    log.write_text(LINES)
    return paths


@pytest.mark.parametrize(
    ("tail", "first"),
    [(None, 0), (0, 5), (1, 4), (2, 3), (5, 0), (99, 0)],
)
async def test_the_last_lines(paths: Paths, store: Store, pod: Object, tail: int | None, first: int) -> None:
    read = Pods(paths, store).read(pod, "web", False, tail, None)
    text = b"".join([piece async for piece in read]).decode()
    assert text == "".join(f"line {i}\n" for i in range(first, 5))


@pytest.mark.parametrize(("text", "last"), [("", ""), ("a", "a"), ("a\nb", "b"), ("a\n\n", "\n")])
async def test_the_last_line_of_odd_texts(
    paths: Paths, store: Store, pod: Object, text: str, last: str
) -> None:
    paths.log("web-1", "web").write_text(text)
    read = Pods(paths, store).read(pod, "web", False, 1, None)
    assert b"".join([piece async for piece in read]).decode() == last


async def test_what_comes_is_followed_until_the_pod_is_gone(paths: Paths, store: Store, pod: Object) -> None:
    log = paths.log("web-1", "web")
    async with asyncio.timeout(10):
        pieces = aiter(Pods(paths, store).read(pod, "web", True, 0, None))
        following = asyncio.ensure_future(anext(pieces))
        await asyncio.sleep(0)
        with log.open("a") as file:
            file.write("more\n")
        assert await following == b"more\n"
        await store.delete(key_of(pod), Deletion(grace=0))
        assert [piece async for piece in pieces] == []


async def test_a_container_that_has_not_started_has_no_log(paths: Paths, store: Store, pod: Object) -> None:
    with pytest.raises(Refused, match="'other' in pod 'web-1' has not started"):
        async for _ in Pods(paths, store).read(pod, "other", False, None, None):
            pass


async def test_a_port_is_what_it_is_on_this_machine(paths: Paths, store: Store, pod: Object) -> None:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello")
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    async with server, asyncio.timeout(10):
        at = server.sockets[0].getsockname()[1]
        annotations = {ANNOTATION: Ports(application={50051: at}).dump()}
        placed = {**pod, "metadata": {**pod["metadata"], "annotations": annotations}}
        reader, writer = await Pods(paths, store).connect(placed, 50051)
        assert await reader.read() == b"hello"
        writer.close()
        await writer.wait_closed()
