"""Two real Envoys with certificates over SDS: who is let in, who not, and a rotation unnoticed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import grpc
import pytest

from mesh.ca.authority import LIFETIME, Authority, now
from mesh.ca.certificate import secrets
from mesh.ca.keep import load
from mesh.ca.rotation import Rotation
from mesh.model.identity import Identity
from mesh.xds.server import Server
from tests.envoy.xds.config import called, caller
from tests.envoy.xds.running import Envoy, application, call, envoy

pytestmark = pytest.mark.envoy

A = "sidecar~10.1.0.1~a-0.shop~shop.svc.cluster.local"
B = "sidecar~10.1.0.2~b-0.shop~shop.svc.cluster.local"
ORDERS, CATALOG = Identity("shop", "orders"), Identity("shop", "catalog")


@dataclass(frozen=True)
class Pair:
    """Sidecar A (orders) in front of nothing, sidecar B (catalog) in front of an application."""

    server: Server
    authority: Authority
    rotation: Rotation
    a: Envoy
    b: Envoy

    async def calls(self, expects: Identity) -> int:
        """Point A at B; the port on which A takes calls."""
        snapshot = caller(b=await self.b.port("in"), expects=expects)
        await self.server.publish(A, snapshot)
        await self.server.wait_accepted(A, snapshot.version, 20)
        return await self.a.port("out")

    async def serials(self) -> set[str]:
        """The serial numbers of the certificates that B uses now, without the root's."""
        certificates = (await self.b.get("/certs"))["certificates"]
        return {chain["serial_number"] for c in certificates for chain in c["cert_chain"][:1]}


@asynccontextmanager
async def pair(directory: Path, lifetime: timedelta = LIFETIME) -> AsyncIterator[Pair]:
    server, authority = Server(), Authority.open(directory / "ca")
    rotation = Rotation(authority, server.publish_secrets, lifetime)
    async with (
        application("b") as port,
        server.serve(directory / "xds.sock"),
        envoy(directory, A) as a,
        envoy(directory, B) as b,
    ):
        inbound = called(port)
        await server.publish(B, inbound)
        await rotation.add(A, ORDERS)
        await rotation.add(B, CATALOG)
        await server.wait_accepted(B, inbound.version, 20)
        yield Pair(server, authority, rotation, a, b)


async def _refused(port: int) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(port)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    return caught.value.details() or ""


async def test_the_expected_identity_is_called_and_plaintext_is_refused(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        assert await call(await both.calls(CATALOG)) == "b"
        await _refused(await both.b.port("in"))


async def test_another_identity_than_expected_is_not_called(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        await _refused(await both.calls(ORDERS))
        assert await both.a.counter(r"cluster\.b\.ssl\.fail_verify_san") > 0


@pytest.mark.parametrize(("same_root", "reason"), [(False, "fail_verify_error"), (True, "fail_verify_san")])
async def test_a_certificate_of_another_trust_domain_is_refused(
    tmp_path: Path, same_root: bool, reason: str
) -> None:
    async with pair(tmp_path) as both:
        port = await both.calls(CATALOG)
        root = load(tmp_path / "ca") if same_root else None
        foreign = (
            Authority(root, "other.org", now) if root else Authority.open(tmp_path / "other", "other.org")
        )
        certificate = foreign.issue(Identity("shop", "orders", "other.org"))
        await both.server.publish_secrets(A, secrets(certificate, both.authority.root_pem))
        await _until_refused(port)
        assert await both.b.counter(rf"listener\..*\.ssl\.{reason}") > 0


async def test_an_expired_certificate_is_refused_and_a_fresh_one_is_not(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        port = await both.calls(CATALOG)
        yesterday = Authority.open(tmp_path / "ca", clock=lambda: now() - timedelta(days=1))
        expired = yesterday.issue(ORDERS, timedelta(hours=1))
        await both.server.publish_secrets(A, secrets(expired, both.authority.root_pem))
        await _until_refused(port)
        await both.rotation.add(A, ORDERS)
        async with asyncio.timeout(10):
            while not await _answers(port):
                pass


async def test_short_certificates_rotate_under_calls_and_none_fails(tmp_path: Path) -> None:
    async with pair(tmp_path, timedelta(seconds=4)) as both:
        rotating = asyncio.create_task(both.rotation.run())
        port = await both.calls(CATALOG)
        seen: set[str] = set()
        async with asyncio.timeout(30):
            while len(seen) < 4:
                assert await call(port) == "b"
                seen |= await both.serials()
        rotating.cancel()
        await asyncio.wait([rotating])
        assert rotating.cancelled()


async def _answers(port: int) -> bool:
    try:
        return await call(port) == "b"
    except grpc.aio.AioRpcError:
        return False


async def _until_refused(port: int) -> None:
    """New secrets take a moment: call until they are in use, then be sure that they stay refused."""
    async with asyncio.timeout(10):
        while await _answers(port):
            pass
    await _refused(port)
