"""Certificates that are replaced long before they expire.

local adds each workload's proxy when it starts it and runs one Rotation for the mesh; secrets go through xds
(SDS) to the proxies, which swap them without dropping a connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from google.protobuf.message import Message

from mesh.ca.authority import LIFETIME, Authority, Clock, now
from mesh.ca.certificate import Certificate, secrets
from mesh.model.identity import Identity

#: Timers stand still while a laptop sleeps, certificates age all the same: how often the clock is read.
_LOOK = timedelta(seconds=30)

#: Sends secrets to a proxy: `Server.publish_secrets`.
Publish = Callable[[str, Mapping[str, Message]], Awaitable[None]]


@dataclass(frozen=True)
class _Holder:
    identity: Identity
    name: str
    certificate: Certificate


class Rotation:
    """Which proxy holds which certificate. ``run`` replaces each at half of its lifetime."""

    def __init__(
        self, authority: Authority, publish: Publish, lifetime: timedelta = LIFETIME, clock: Clock = now
    ) -> None:
        self._authority, self._publish, self._lifetime, self._clock = authority, publish, lifetime, clock
        self._holders: dict[str, _Holder] = {}
        self._changed = asyncio.Event()

    async def add(self, proxy_id: str, identity: Identity, name: str = "") -> Certificate:
        """Issue and publish a proxy's first certificate, as ``Authority.issue``. Raises CertificateError: the pod must not start."""
        certificate = await self._renew(proxy_id, identity, name)
        self._changed.set()
        return certificate

    def remove(self, proxy_id: str) -> None:
        """Issue no more for a proxy that is gone."""
        self._holders.pop(proxy_id, None)

    def certificate(self, proxy_id: str) -> Certificate | None:
        """What a proxy was last given."""
        holder = self._holders.get(proxy_id)
        return holder.certificate if holder else None

    async def run(self) -> None:
        """Replace certificates as they fall due, until cancelled. Raises CertificateError when the root expires."""
        while True:
            for proxy_id, holder in self._due(self._clock()):
                if self._holders.get(proxy_id) is holder:  # not removed or added anew meanwhile
                    await self._renew(proxy_id, holder.identity, holder.name)
            await self._pause()

    def _due(self, moment: datetime) -> list[tuple[str, _Holder]]:
        return [(who, holder) for who, holder in self._holders.items() if self._replaced(holder) <= moment]

    def _replaced(self, holder: _Holder) -> datetime:
        """When to replace a certificate: one that lasts as long as the root cannot be replaced by a longer one."""
        certificate = holder.certificate
        last = certificate.not_after >= self._authority.not_after
        return certificate.not_after if last else certificate.half_life

    async def _renew(self, proxy_id: str, identity: Identity, name: str) -> Certificate:
        certificate = self._authority.issue(identity, self._lifetime, name)
        self._holders[proxy_id] = _Holder(identity, name, certificate)
        await self._publish(proxy_id, secrets(certificate, self._authority.root_pem))
        return certificate

    async def _pause(self) -> None:
        """Until the next certificate is due, another proxy is added, or the clock is worth another look."""
        left = min((self._replaced(h) - self._clock() for h in self._holders.values()), default=_LOOK)
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(max(timedelta(), min(left, _LOOK)).total_seconds()):
                await self._changed.wait()
