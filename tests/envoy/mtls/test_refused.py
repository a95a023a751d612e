"""Who is let in at a sidecar's inbound port, and whom a sidecar calls: nobody with a certificate that is wrong in any way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from mesh.ca.certificate import Certificate, secrets
from mesh.model.identity import Identity
from tests.envoy.mtls import wrong
from tests.envoy.mtls.pair import CATALOG, ORDERS, Pair, pair
from tests.envoy.running import call
from tests.scenarios.stranger import knock

pytestmark = pytest.mark.envoy

Make = Callable[[Path, Identity], Certificate]


async def _knock(both: Pair, certificate: Certificate | None) -> str:
    pems = (certificate.chain_pem.decode(), certificate.key_pem.decode()) if certificate else (None, None)
    return await asyncio.to_thread(knock, "127.0.0.1", both.inbound, *pems)


async def test_callers_of_the_mesh_are_let_in_and_plaintext_is_refused(tmp_path: Path) -> None:
    async with pair(tmp_path) as both:
        assert await call(both.outbound) == "catalog"
        assert await _knock(both, both.authority.issue(ORDERS)) == "answered"
        assert await _knock(both, None) == "refused"
        with pytest.raises(grpc.aio.AioRpcError, match="UNAVAILABLE"):
            await call(both.inbound)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (wrong.of_another_mesh, "fail_verify_error"),
        (wrong.of_another_root, "fail_verify_error"),
        (wrong.of_another_trust_domain, "fail_verify_san"),
        (wrong.expired, "fail_verify_error"),
    ],
)
async def test_a_caller_is_refused_with_a_certificate(tmp_path: Path, make: Make, reason: str) -> None:
    async with pair(tmp_path) as both:
        assert await _knock(both, make(tmp_path / "ca", ORDERS)) == "refused"
        assert await both.catalog.counter(rf"listener\..*\.ssl\.{reason}") > 0


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (wrong.of_another_workload, "fail_verify_san"),
        (wrong.of_another_trust_domain, "fail_verify_san"),
        (wrong.of_another_root, "fail_verify_error"),
        (wrong.expired, "fail_verify_error"),
    ],
)
async def test_a_service_is_not_called_with_a_certificate(tmp_path: Path, make: Make, reason: str) -> None:
    async with pair(tmp_path) as both:
        assert await call(both.outbound) == "catalog"
        await _give(both, make(tmp_path / "ca", CATALOG))
        await _until_called(both, False)
        assert await both.orders.counter(rf"cluster\.outbound.*\.ssl\.{reason}") > 0
        await _give(both, both.authority.issue(CATALOG))
        await _until_called(both, True)


async def _give(both: Pair, certificate: Certificate) -> None:
    await both.server.publish_secrets(both.catalog.proxy_id, secrets(certificate, both.authority.root_pem))


async def _until_called(both: Pair, answers: bool) -> None:
    """New secrets take a moment: call until they are in use."""
    async with asyncio.timeout(10):
        while await _answers(both) != answers:
            pass


async def _answers(both: Pair) -> bool:
    try:
        return await call(both.outbound) == "catalog"
    except grpc.aio.AioRpcError as refused:
        if refused.code() is not grpc.StatusCode.UNAVAILABLE:
            raise
        return False
