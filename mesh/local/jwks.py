"""The keys of token issuers, fetched for the proxies as istiod fetches them: at the start, then every 20 minutes.

What the RequestAuthentications of a Mesh name comes in by ``follow``; what was fetched goes out as ``found``, for ``Mesh.keys``, and wakes ``changed``.
An issuer whose keys were never fetched has none here, and no token of it is valid. Source: pilot/pkg/model/jwks_resolver.go.
"""

from __future__ import annotations

import asyncio
import json
import logging
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from mesh.link.jwks import unreadable
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Service
from mesh.resources.istio.requestauthentication import JWTRule

log = logging.getLogger(__name__)

_AGAIN_SECONDS: Final = 20 * 60.0
#: After a failure; twice as long after each other one, up to istiod's minute.
_FIRST_RETRY_SECONDS: Final = 1.0
_LAST_RETRY_SECONDS: Final = 60.0
#: istiod's, where a rule does not say.
_TIMEOUT_SECONDS: Final = 5.0
_LARGEST: Final = 1 << 20
_DISCOVERY: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Source:
    """Where the keys of an issuer are; without ``url`` the issuer says so itself. ``ports``: where services of the mesh answer on loopback."""

    issuer: str
    url: str
    timeout: float
    ports: Mapping[tuple[str, int], int] = field(default_factory=dict, hash=False)

    @property
    def key(self) -> tuple[str, str]:
        return self.issuer, self.url


Fetch = Callable[[Source], str]


class Keys:
    """Fetches the keys of all issuers of a mesh and keeps them fresh: again after ``again`` seconds, after a failure first after ``retry``."""

    def __init__(
        self, fetch: Fetch | None = None, again: float = _AGAIN_SECONDS, retry: float = _FIRST_RETRY_SECONDS
    ) -> None:
        self._fetch = fetch or fetched
        self._again, self._retry = again, retry
        self._sources: frozenset[Source] = frozenset()
        self._asked = asyncio.Event()
        self.found: dict[tuple[str, str], str] = {}
        self.changed = asyncio.Event()

    def follow(self, mesh: Mesh, placement: Placement) -> None:
        """Fetch for the issuers of this mesh from now on, and for no others."""
        wanted = frozenset(sources(mesh, placement))
        if wanted != self._sources:
            self._sources = wanted
            self._asked.set()

    async def run(self) -> None:
        """One task an issuer, until cancelled."""
        tasks: dict[Source, asyncio.Task[None]] = {}
        async with asyncio.TaskGroup() as group:
            while True:
                for gone in tasks.keys() - self._sources:
                    tasks.pop(gone).cancel()
                for new in self._sources - tasks.keys():
                    tasks[new] = group.create_task(self._keep(new), name=f"keys of {new.issuer}")
                await self._asked.wait()
                self._asked.clear()

    async def _keep(self, source: Source) -> None:
        pause = self._retry
        while True:
            try:
                text = await asyncio.to_thread(self._fetch, source)
            except (OSError, ValueError) as error:
                log.warning(
                    "the keys of %s cannot be fetched from %s: %s", source.issuer, _asked(source), error
                )
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_RETRY_SECONDS)
                continue
            if self.found.get(source.key) != text:
                self.found = {**self.found, source.key: text}
                self.changed.set()
            pause = self._retry
            await asyncio.sleep(self._again)


def sources(mesh: Mesh, placement: Placement) -> Iterator[Source]:
    """What there is to fetch for a mesh: rules that have no keys of their own."""
    ports = dict(_ports(mesh, placement))
    for policy in mesh.request_authentications:
        for rule in policy.spec.jwt_rules:
            if not rule.jwks:
                yield Source(rule.issuer, rule.keys_url, _timeout(rule), ports)


def _timeout(rule: JWTRule) -> float:
    return rule.timeout.total_seconds() if rule.timeout else _TIMEOUT_SECONDS


def _ports(mesh: Mesh, placement: Placement) -> Iterator[tuple[tuple[str, int], int]]:
    """(host, port) of services of the mesh -> the sidecar's port of one of their pods, which takes plaintext where its policies do."""
    for service in mesh.services:
        for port in service.ports:
            for each in service.endpoints:
                if each.service_port == port.name and each.workload is not None:
                    placed = placement.inbound.get((each.workload.key, each.port))
                    if placed is not None:
                        yield from (((name, port.number), placed) for name in _names(service))


def _names(service: Service) -> tuple[str, ...]:
    short = f"{service.name}.{service.namespace}"
    return short, f"{short}.svc", service.hostname


def fetched(source: Source) -> str:
    """The key set of an issuer. Raises OSError or ValueError."""
    text = _get(source.url or _discovered(source), source)
    if reason := unreadable(text):
        raise ValueError(reason)
    return text


def _discovered(source: Source) -> str:
    """OpenID Connect Discovery: an issuer says where its keys are."""
    said = json.loads(_get(_asked(source), source))
    url = said.get("jwks_uri") if isinstance(said, dict) else None
    if not isinstance(url, str):
        raise ValueError("it does not say jwks_uri")
    return url


def _asked(source: Source) -> str:
    return source.url or source.issuer.removesuffix("/") + _DISCOVERY


def _get(url: str, source: Source) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no URL of http or https")
    host = parts.netloc
    port = parts.port or (443 if parts.scheme == "https" else 80)
    placed = source.ports.get((parts.hostname or "", port))
    dialled = parts._replace(netloc=f"127.0.0.1:{placed}").geturl() if placed else url
    request = urllib.request.Request(dialled, headers={"host": host})  # noqa: S310 - of http and https only
    with urllib.request.urlopen(request, timeout=source.timeout) as answer:  # noqa: S310
        text: str = answer.read(_LARGEST).decode()
    return text
