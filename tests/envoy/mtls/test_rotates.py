"""Certificates are replaced on the wire while calls go on, and none fails."""

from __future__ import annotations

import asyncio
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509

from mesh.ca.certificate import Certificate
from tests.envoy.mtls.pair import CATALOG, ORDERS, Pair, pair
from tests.envoy.running import call
from tests.scenarios.stranger import context

pytestmark = pytest.mark.envoy

#: As short as `mesh.yaml` allows.
LIFETIME = timedelta(seconds=2)
CALLERS = 3
#: Each is in use for a second or more.
SERIALS = 12


async def test_certificates_of_two_seconds_are_replaced_under_load_and_no_call_fails(tmp_path: Path) -> None:
    async with pair(tmp_path, LIFETIME) as both, asyncio.timeout(60):
        rotating = asyncio.create_task(both.rotation.run())
        done = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            callers = [group.create_task(_call_until(both.outbound, done)) for _ in range(CALLERS)]
            seen: set[int] = set()
            while len(seen) < SERIALS:
                seen.add(await _shown(both))
                await asyncio.sleep(0.2)
            done.set()
        assert all(caller.result() > SERIALS for caller in callers)
        handshakes = await both.orders.counter(r"cluster\.outbound.*\.ssl\.handshake")
        assert handshakes >= sum(caller.result() for caller in callers)
        rotating.cancel()
        await asyncio.wait([rotating])
        assert rotating.cancelled()


async def test_a_control_plane_that_was_away_for_long_renews_certificates_at_once(tmp_path: Path) -> None:
    # Envoy's own back-off would by then try every 16 s.
    async with pair(tmp_path) as both:
        await both.leave()
        async with asyncio.timeout(30):
            while await both.catalog.counter(r"cluster\.sds-grpc\.upstream_cx_connect_fail") < 20:  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        before = await _shown(both)
        await both.come_back()
        await both.rotation.add(both.catalog.proxy_id, CATALOG)
        async with asyncio.timeout(2):
            while await _shown(both) == before:
                pass
        assert await call(both.outbound) == "catalog"


async def _shown(both: Pair) -> int:
    """The serial number of the certificate that the sidecar of catalog shows on the wire."""
    return await asyncio.to_thread(_serial, both.inbound, both.authority.issue(ORDERS))


async def _call_until(port: int, done: asyncio.Event) -> int:
    """Call one after the other, each over TLS connections of its own; how many calls were answered. Raises when one is not."""
    answered = 0
    while not done.is_set():
        assert await call(port) == "catalog"
        answered += 1
    return answered


def _serial(port: int, mine: Certificate) -> int:
    """The serial number of the certificate that a port shows on the wire."""
    tls = context(mine.chain_pem.decode(), mine.key_pem.decode())
    with socket.create_connection(("127.0.0.1", port), 5) as raw, tls.wrap_socket(raw) as secured:
        shown = secured.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number
