"""Certificates are replaced at half of their lifetime, each proxy's by its own clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf.message import Message

from mesh.ca.authority import Authority
from mesh.ca.certificate import CertificateError
from mesh.ca.rotation import Rotation
from mesh.model.identity import Identity

CATALOG, ORDERS = Identity("shop", "catalog"), Identity("shop", "orders")


@dataclass
class Scene:
    """A clock that the test moves, and what was published, in order."""

    directory: Path
    moment: datetime = datetime(2026, 3, 1, tzinfo=UTC)
    published: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    def rotation(self) -> Rotation:
        authority = Authority.open(self.directory, clock=lambda: self.moment)
        return Rotation(authority, self._publish, timedelta(hours=24), lambda: self.moment)

    async def _publish(self, proxy_id: str, secrets: Mapping[str, Message]) -> None:
        assert secrets.keys() == {"default", "ROOTCA"}
        self.published.put_nowait(proxy_id)

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
    first = await rotation.add("a", CATALOG)
    async with running(rotation):
        scene.moment += timedelta(hours=12)
        await rotation.add("b", ORDERS)
        assert [await scene.next() for _ in range(3)] == ["a", "b", "a"]
    second = rotation.certificate("a")
    assert second is not None
    assert second.not_after == first.not_after + timedelta(hours=12)
    assert second.key_pem != first.key_pem


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


async def test_a_pod_whose_certificate_cannot_be_issued_does_not_get_one(scene: Scene) -> None:
    with pytest.raises(CertificateError, match="is not of the trust domain"):
        await scene.rotation().add("a", Identity("shop", "catalog", "other.org"))
