"""Loopback ports for pods: chosen once, written on the Pod, so that they outlive the control plane.

Made when a pod is started and when a service appears; read to build the Placement that compile places listeners by.
"""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mesh.model.mesh import Placement

ANNOTATION = "meshwright.dev/ports"
#: Below the range from which Linux (32768) and macOS (49152) take ports for outgoing connections.
FIRST, LAST = 20000, 32000
BLOCK = 100

Upstream = tuple[str, int]


class NoPort(Exception):
    """No loopback port is free."""


@dataclass(frozen=True)
class Ports:
    """One pod's ports. Keys are container ports, of ``outbound`` (service host, service port)."""

    inbound: Mapping[int, int] = field(default_factory=dict)
    application: Mapping[int, int] = field(default_factory=dict)
    outbound: Mapping[Upstream, int] = field(default_factory=dict)
    gateway: Mapping[int, int] = field(default_factory=dict)

    def dump(self) -> str:
        """As the annotation holds it."""
        outbound = {f"{host}:{port}": at for (host, port), at in self.outbound.items()}
        return json.dumps(
            {
                "inbound": dict(self.inbound),
                "application": dict(self.application),
                "outbound": outbound,
                "gateway": dict(self.gateway),
            }
        )

    @property
    def used(self) -> set[int]:
        groups = (self.inbound, self.application, self.outbound, self.gateway)
        return {port for group in groups for port in group.values()}


def of(pod: Mapping[str, Any]) -> Ports:
    """The ports that a Pod was given; none before it was started."""
    text = (pod["metadata"].get("annotations") or {}).get(ANNOTATION)
    if not text:
        return Ports()
    data = json.loads(text)
    numbers = {
        name: {int(k): int(v) for k, v in data[name].items()}
        for name in ("inbound", "application", "gateway")
    }
    outbound = {}
    for key, at in data["outbound"].items():
        host, _, port = key.rpartition(":")
        outbound[host, int(port)] = int(at)
    return Ports(numbers["inbound"], numbers["application"], outbound, numbers["gateway"])


class Allocator:
    """Gives out ports that nobody listens on and that neither it nor another mesh's allocator has given out.

    A port is only bound a second after it was given, so meshes that start together would give the same ones. Each takes them from
    blocks of its own: whoever holds a block's first port owns the block.
    """

    def __init__(self, taken: Iterable[int] = ()) -> None:
        self._taken = set(taken)
        self._blocks: list[range] = []
        self._claims: list[socket.socket] = []

    def take(self) -> int:
        """A free port. Raises NoPort when there is none."""
        while True:
            for port in (p for block in self._blocks for p in block):
                if port not in self._taken and _free(port):
                    self._taken.add(port)
                    return port
            self._claim()

    def close(self) -> None:
        """Leave the blocks to others; ports that somebody listens on are not given out anyway."""
        while self._claims:
            self._claims.pop().close()

    def _claim(self) -> None:
        """One block more, anywhere in the range."""
        starts = list(range(FIRST, LAST, BLOCK))
        for first in random.sample(starts, len(starts)):
            claim = socket.socket()
            try:
                claim.bind(("127.0.0.1", first))
            except OSError:
                claim.close()
                continue
            self._claims.append(claim)
            self._blocks.append(range(first + 1, first + BLOCK))
            return
        raise NoPort(f"no free port between {FIRST} and {LAST} on 127.0.0.1")

    def release(self, ports: Iterable[int]) -> None:
        self._taken.difference_update(ports)

    def serving(self, have: Ports, containers: Iterable[int], gateway: bool) -> Ports:
        """Ports for what the pod serves: two a container port, or one for a gateway's."""
        if gateway:
            return replace(have, gateway={p: have.gateway.get(p) or self.take() for p in containers})
        return replace(
            have,
            inbound={p: have.inbound.get(p) or self.take() for p in containers},
            application={p: have.application.get(p) or self.take() for p in containers},
        )

    def calling(self, have: Ports, upstreams: Iterable[Upstream]) -> Ports:
        """``have`` with a listener for each upstream; what there is stays, since processes were told of it."""
        outbound = dict(have.outbound)
        for upstream in upstreams:
            if upstream not in outbound:
                outbound[upstream] = self.take()
        return replace(have, outbound=outbound)


def placement(pods: Iterable[Mapping[str, Any]], observatory: str = "") -> Placement:
    """Where everything is on this machine; ``observatory`` is the cluster that proxies tell of what they see."""
    made: dict[str, dict[Any, int]] = {"inbound": {}, "application": {}, "outbound": {}, "gateway": {}}
    for pod in pods:
        key, ports = (pod["metadata"]["namespace"], pod["metadata"]["name"]), of(pod)
        made["inbound"].update({(key, port): at for port, at in ports.inbound.items()})
        made["application"].update({(key, port): at for port, at in ports.application.items()})
        made["outbound"].update({(key, host, port): at for (host, port), at in ports.outbound.items()})
        made["gateway"].update({(key, port): at for port, at in ports.gateway.items()})
    return Placement(local=True, observatory=observatory, **made)


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
