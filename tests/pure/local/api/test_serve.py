"""The server's own life: what it writes, how it comes back, how it ends."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from pathlib import Path

import pytest

from mesh.local.api import certificate, serve
from mesh.local.store import Store


def connection(directory: Path, address: str) -> HTTPSConnection:
    trusted = ssl.create_default_context(cafile=str(directory / "api" / "ca.crt"))
    trusted.verify_flags |= ssl.VERIFY_X509_STRICT
    return HTTPSConnection("127.0.0.1", int(address.rpartition(":")[2]), context=trusted, timeout=10)


def read(directory: Path, address: str, path: str) -> bytes:
    token = (directory / "api" / "token").read_text()
    opened = connection(directory, address)
    try:
        opened.request("GET", path, headers={"Authorization": f"Bearer {token}"})
        return opened.getresponse().read()
    finally:
        opened.close()


async def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    async with Store(tmp_path / "state") as store, serve(store, tmp_path, namespace="shop"):
        files = [tmp_path / "kubeconfig", *(tmp_path / "api").iterdir()]
        assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
        names = {path.name for path in files}
        assert names == {"kubeconfig", "ca.crt", "tls.crt", "tls.key", "token", "port"}
        written = json.loads((tmp_path / "kubeconfig").read_text())
        assert written["contexts"][0]["context"]["namespace"] == "shop"


async def test_a_restart_keeps_address_certificate_and_token(tmp_path: Path) -> None:
    configs = []
    for _ in range(2):
        async with Store(tmp_path / "state") as store, serve(store, tmp_path) as address:
            assert await asyncio.to_thread(read, tmp_path, address, "/readyz") == b"ok"
            configs.append((tmp_path / "kubeconfig").read_text())
    assert configs[0] == configs[1]


async def test_a_port_that_was_taken_meanwhile_is_given_up(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        (tmp_path / "api").mkdir()
        (tmp_path / "api" / "port").write_text(str(taken.getsockname()[1]))
        async with Store(tmp_path / "state") as store, serve(store, tmp_path) as address:
            assert not address.endswith(f":{taken.getsockname()[1]}")
            assert await asyncio.to_thread(read, tmp_path, address, "/readyz") == b"ok"


async def test_an_open_watch_does_not_hold_up_the_end(tmp_path: Path) -> None:
    began = threading.Event()
    seen: list[bytes] = []

    def follow(address: str) -> None:
        token = (tmp_path / "api" / "token").read_text()
        opened = connection(tmp_path, address)
        opened.request("GET", "/api/v1/namespaces?watch=1", headers={"Authorization": f"Bearer {token}"})
        answer = opened.getresponse()
        seen.append(answer.readline())
        began.set()
        seen.append(answer.read())
        opened.close()

    async with Store(tmp_path / "state") as store, serve(store, tmp_path) as address:
        following = asyncio.create_task(asyncio.to_thread(follow, address))
        await asyncio.to_thread(began.wait, 5)
        ended = time.monotonic()
    await following
    assert time.monotonic() - ended < 1.5
    assert json.loads(seen[0])["type"] == "ADDED"
    assert seen[1] == b"", "it ended properly"


async def test_an_idle_connection_is_cut(tmp_path: Path) -> None:
    async with Store(tmp_path / "state") as store:
        async with serve(store, tmp_path) as address:
            idle = connection(tmp_path, address)
            await asyncio.to_thread(idle.connect)
            ended = time.monotonic()
        assert time.monotonic() - ended < 1.5
        idle.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others


def test_the_certificate_is_made_anew_before_it_ends(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    files = certificate.ensure(tmp_path, now)
    first = files.certificate.read_bytes()
    assert certificate.ensure(tmp_path, now + timedelta(days=300)) == files
    assert files.certificate.read_bytes() == first
    certificate.ensure(tmp_path, now + timedelta(days=340))
    assert files.certificate.read_bytes() != first


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
async def test_a_directory_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    async with Store(tmp_path / "state") as store:
        (tmp_path / "closed").mkdir(mode=0o500)
        with pytest.raises(PermissionError):
            async with serve(store, tmp_path / "closed"):
                pass
