"""Certificates are replaced at half of their lifetime, each proxy's by its own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from google.protobuf.message import Message

from mesh.ca.authority import ROOT_LIFETIME, Authority
from mesh.ca.certificate import Certificate, CertificateError
from mesh.ca.rotation import Rotation
from mesh.model.identity import Identity

CATALOG, ORDERS = Identity("shop", "catalog"), Identity("shop", "orders")


@dataclass
class Scene:
    """A clock that the test moves, what was published, in order, and what happens meanwhile."""

    directory: Path
    moment: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    published: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    after: Mapping[str, Callable[[], None]] = field(default_factory=dict)

    def rotation(self) -> Rotation:
        authority = Authority.open(self.directory, clock=lambda: self.moment)
        return Rotation(authority, self._publish, timedelta(hours=24), lambda: self.moment)

    async def _publish(self, proxy_id: str, secrets: Mapping[str, Message]) -> None:
        assert secrets.keys() == {"default", "ROOTCA"}
        self.published.put_nowait(proxy_id)
        self.after.get(proxy_id, lambda: None)()
        await asyncio.sleep(0)

    async def next(self) -> str:
        async with asyncio.timeout(5):
            return await self.published.get()


@asynccontextmanager
async def running(rotation: Rotation) -> AsyncIterator[None]:
    task = asyncio.create_task(rotation.run())
    yield
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


async def test_a_proxy_gets_its_first_certificate_when_it_is_added(scene: Scene) -> None:
    rotation = scene.rotation()
    certificate = await rotation.add("a", CATALOG)
    assert await scene.next() == "a"
    assert certificate.not_after == scene.moment + timedelta(hours=24)
    assert rotation.certificate("a") == certificate


async def test_a_certificate_is_replaced_at_half_of_its_lifetime(scene: Scene) -> None:
    rotation = scene.rotation()
    first = await rotation.add("a", CATALOG, "a.shop")
    async with running(rotation):
        scene.moment += timedelta(hours=12)
        await rotation.add("b", ORDERS)
        assert [await scene.next() for _ in range(3)] == ["a", "b", "a"]
    second = rotation.certificate("a")
    assert second is not None
    assert second.not_after == first.not_after + timedelta(hours=12)
    assert second.key_pem != first.key_pem
    names = [
        x509.load_pem_x509_certificates(each.chain_pem)[0]
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value.get_values_for_type(x509.DNSName)
        for each in (first, second)
    ]
    assert names == [["a.shop"], ["a.shop"]]


async def test_a_certificate_is_kept_before_that(scene: Scene) -> None:
    rotation = scene.rotation()
    first = await rotation.add("a", CATALOG)
    async with running(rotation):
        scene.moment += timedelta(hours=11)
        await rotation.add("b", ORDERS)
        scene.moment += timedelta(hours=1)
        await rotation.add("c", ORDERS)
        assert [await scene.next() for _ in range(4)] == ["a", "b", "c", "a"]
    assert rotation.certificate("a") != first


async def test_a_removed_proxy_gets_no_more(scene: Scene) -> None:
    rotation = scene.rotation()
    await rotation.add("a", CATALOG)
    rotation.remove("a")
    async with running(rotation):
        scene.moment += timedelta(hours=24)
        await rotation.add("b", ORDERS)
        scene.moment += timedelta(hours=24)
        await rotation.add("c", ORDERS)
        assert [await scene.next() for _ in range(4)] == ["a", "b", "c", "b"]
    assert rotation.certificate("a") is None


async def test_a_proxy_that_is_removed_while_others_are_renewed_gets_no_more(scene: Scene) -> None:
    rotation = scene.rotation()
    for who in ("a", "b", "c"):
        await rotation.add(who, CATALOG)
    scene.after = {"a": lambda: rotation.remove("b")}
    scene.moment += timedelta(hours=12)
    async with running(rotation):
        assert [await scene.next() for _ in range(5)] == ["a", "b", "c", "a", "c"]
    assert rotation.certificate("b") is None


async def test_a_proxy_that_comes_back_while_others_are_renewed_keeps_its_new_identity(scene: Scene) -> None:
    rotation = scene.rotation()
    for who in ("a", "b"):
        await rotation.add(who, CATALOG)
    scene.moment += timedelta(hours=12)
    added: list[asyncio.Task[Certificate]] = []
    scene.after = {"a": lambda: added.append(asyncio.create_task(rotation.add("b", ORDERS)))}
    async with running(rotation):
        assert [await scene.next() for _ in range(4)] == ["a", "b", "a", "b"]
        assert rotation.certificate("b") == await added[0]


async def test_when_the_root_expires_it_ends_and_says_what_to_do(scene: Scene) -> None:
    rotation = scene.rotation()
    scene.moment += ROOT_LIFETIME - timedelta(hours=1)
    await rotation.add("a", CATALOG)
    scene.moment += timedelta(hours=1)
    with pytest.raises(CertificateError, match=r"expired at .*: remove .* to have a new root made"):
        async with asyncio.timeout(5):
            await rotation.run()


async def test_a_certificate_that_lasts_as_long_as_the_root_is_not_replaced_before(scene: Scene) -> None:
    rotation = scene.rotation()
    scene.moment += ROOT_LIFETIME - timedelta(hours=1)
    last = await rotation.add("a", CATALOG)
    async with running(rotation):
        scene.moment += timedelta(minutes=59)
        await rotation.add("b", ORDERS)
        await rotation.add("c", ORDERS)
        assert [await scene.next() for _ in range(3)] == ["a", "b", "c"]
    assert rotation.certificate("a") == last


async def test_a_pod_whose_certificate_cannot_be_issued_does_not_get_one(scene: Scene) -> None:
    with pytest.raises(CertificateError, match="is not of the trust domain"):
        await scene.rotation().add("a", Identity("shop", "catalog", "other.org"))
