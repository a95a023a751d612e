"""What everything in the control plane shares: the store, the xDS server, certificates, ports, configuration and paths."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mesh.ca.rotation import Rotation
from mesh.link.hosts import CLUSTER_DOMAIN
from mesh.local import environment, ports, workload
from mesh.local.config import Config
from mesh.local.observatory import Observatory
from mesh.local.paths import Paths
from mesh.local.store import Key, Store, key, key_of, kind, with_metadata
from mesh.xds.server import Server

Object = dict[str, Any]
#: Called directly: a certificate is for the host's own name.
_BY_TLS = ("TLS", "HTTPS")
#: As istiod's test double numbers pods; the addresses are never dialled.
_PODS = ipaddress.ip_network("10.1.0.0/16")


@dataclass
class World:
    """Made once by ``controlplane``; ``changed`` wakes the publisher when something outside the store matters."""

    config: Config
    paths: Paths
    store: Store
    server: Server
    rotation: Rotation
    allocator: ports.Allocator
    observatory: Observatory | None = None
    trust_domain: str = "cluster.local"
    _published: asyncio.Event = field(default_factory=asyncio.Event)
    _version: int = 0

    def pods(self) -> list[Object]:
        return list(self.store.list(kind("Pod")))

    def find(self, namespace: str, name_of_kind: str, name: str) -> Object | None:
        """An object of the store as it is now."""
        return self.store.find(key(kind(name_of_kind), namespace, name))

    def free_address(self, more: Iterable[str] = ()) -> str:
        """The lowest pod address that no Pod has."""
        taken = {
            (p["metadata"].get("annotations") or {}).get("meshwright.dev/address") for p in self.pods()
        } | set(more)
        return next(str(a) for a in _PODS.hosts() if str(a) not in taken)

    async def allocate(self, where: Key) -> Object:
        """Give a Pod its address and ports, those it already has kept; returns the Pod with them."""
        pod = self.store.get(where)
        given = self._ports(pod)
        address = pod["metadata"]["annotations"]["meshwright.dev/address"]
        annotations = {**pod["metadata"]["annotations"], ports.ANNOTATION: given.dump()}
        if annotations != pod["metadata"]["annotations"]:
            pod = (await self.store.edit(where, lambda p: with_metadata(p, annotations=annotations))).object
        if pod.get("status", {}).get("podIP") != address:
            status = {"podIP": address, "podIPs": [{"ip": address}], "phase": "Pending"}
            pod = (
                await self.store.edit(
                    where, lambda p: {**p, "status": {**p.get("status", {}), **status}}, "status"
                )
            ).object
        return pod

    def _ports(self, pod: Object) -> ports.Ports:
        mine = workload.of(pod, self.trust_domain)
        gateway = workload.is_gateway(mine)
        given = self.allocator.serving(ports.of(pod), workload.container_ports(pod), gateway)
        return self.allocator.calling(given, () if gateway else self._called(pod))

    def _called(self, pod: Object) -> Iterator[ports.Upstream]:
        """The services that the pod's environment names."""
        namespace = pod["metadata"]["namespace"]
        known = {
            (environment.qualified(host, namespace), port): (host, port) for host, port in self.services()
        }
        for container in pod["spec"]["containers"]:
            for upstream in environment.hosts_of(container, namespace, partial(self.find, namespace)):
                if upstream in known:
                    yield known[upstream]

    def services(self) -> Iterator[ports.Upstream]:
        """(host, port) of every Service, and of every ServiceEntry that is called by its name."""
        for service in self.store.list(kind("Service")):
            host = f"{service['metadata']['name']}.{service['metadata']['namespace']}.svc.{CLUSTER_DOMAIN}"
            for port in service["spec"].get("ports") or ():
                yield host, int(port["port"])
        for entry in self.store.list(kind("ServiceEntry")):
            for host in entry["spec"].get("hosts") or ():
                for each in entry["spec"].get("ports") or ():
                    if str(each.get("protocol", "")).upper() not in _BY_TLS:
                        yield host, int(each["number"])

    async def annotate(self, pod: Object, given: ports.Ports) -> None:
        """Write a Pod's ports on it."""

        def change(found: Object) -> Object:
            annotations = {**found["metadata"]["annotations"], ports.ANNOTATION: given.dump()}
            return with_metadata(found, annotations=annotations)

        await self.store.edit(key_of(pod), change)

    def release(self, pod: Object) -> None:
        """The ports of a Pod that is gone are free again, and nothing more is published for it."""
        self.allocator.release(ports.of(pod).used)
        mine = workload.of(pod, self.trust_domain)
        self.rotation.remove(mine.proxy_id)
        self.server.forget(mine.proxy_id)

    def published(self, version: int) -> None:
        """The publisher has published the store's state of ``version``; those who wait for that look again."""
        self._version = version
        self._published.set()
        self._published = asyncio.Event()

    async def settled(self, limit: float) -> bool:
        """Wait until the store's present state is published and every connected proxy has accepted it, ``limit`` seconds at most."""
        wanted = self.store.version
        try:
            async with asyncio.timeout(limit):
                while self._version < wanted:
                    await self._published.wait()
                while not all(map(self._accepted, self.pods())):  # noqa: ASYNC110 - of each proxy on its own
                    await asyncio.sleep(0.01)
        except TimeoutError:
            return False
        return True

    def _accepted(self, pod: Object) -> bool:
        status = self.server.status(workload.of(pod, self.trust_domain).proxy_id)
        return status.acked or not status.connected
