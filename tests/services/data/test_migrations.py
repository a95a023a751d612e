"""Migrations on PostgreSQL: once, however many replicas start together, and however late the database comes."""

import asyncio
from pathlib import Path

import pytest
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from tests.services.data.conftest import Guarded
from tests.services.events.world import until
from tests.services.process import Process

REPLICAS = 3


async def test_replicas_that_start_together_migrate_once(guarded: Guarded, tmp_path: Path) -> None:
    replicas = [Process(f"catalog-{n}", tmp_path, {"DATABASE_URL": guarded.url}) for n in range(REPLICAS)]
    await asyncio.gather(*(replica.start() for replica in replicas))
    for replica in replicas:
        await replica.ready()
    for replica in replicas:
        assert await replica.stop() == 0, replica.log.read_text()
        assert [event for event in replica.events() if event["level"] in ("warning", "error")] == []


@pytest.mark.xfail(
    strict=False, reason="the service does not stop now and then on a busy machine: not found yet why"
)
async def test_a_service_waits_for_its_role_and_then_is_ready(guarded: Guarded, tmp_path: Path) -> None:
    guarded.file.write_text("not yet this one")
    catalog = Process("catalog", tmp_path, {"DATABASE_URL": guarded.url})
    await catalog.start()

    async def said() -> set[str]:
        return {event["event"] for event in catalog.events()}

    await until(said, lambda events: "waiting for the database" in events)
    async with aio.insecure_channel(catalog.address) as channel:
        health = health_pb2_grpc.HealthStub(channel)
        answer = await health.Check(health_pb2.HealthCheckRequest(), timeout=5)
    assert answer.status == health_pb2.HealthCheckResponse.NOT_SERVING
    guarded.file.write_text("first")
    await catalog.ready()
    assert await catalog.stop() == 0, catalog.log.read_text()
