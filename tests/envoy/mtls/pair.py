"""Two workloads whose sidecars have everything from the real control plane: compiled from YAML, certificates by the authority."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from mesh.ca.authority import LIFETIME, Authority
from mesh.ca.rotation import Rotation
from mesh.compile import Compiler
from mesh.compile.placement import outbound_ports
from mesh.link.link import link
from mesh.local.ports import Allocator
from mesh.model.identity import Identity
from mesh.model.mesh import Mesh, Placement
from mesh.model.service import Workload
from mesh.resources.object import parse
from mesh.xds.server import Server
from tests.envoy.running import Envoy, application, envoy

PORT = 50051
ORDERS, CATALOG = Identity("shop", "orders"), Identity("shop", "catalog")


@dataclass(frozen=True)
class Pair:
    """``outbound`` is the port on which the sidecar of orders takes calls to catalog, ``inbound`` that of catalog's sidecar."""

    server: Server
    authority: Authority
    rotation: Rotation
    orders: Envoy
    catalog: Envoy
    outbound: int
    inbound: int
    socket: Path
    serving: AsyncExitStack

    async def leave(self) -> None:
        """The control plane goes away."""
        await self.serving.aclose()

    async def come_back(self) -> None:
        await self.serving.enter_async_context(self.server.serve(self.socket))


@asynccontextmanager
async def pair(directory: Path, lifetime: timedelta = LIFETIME) -> AsyncIterator[Pair]:
    """Both run, hold their certificates and have accepted their configuration."""
    server, authority = Server(), Authority.open(directory / "ca")
    rotation = Rotation(authority, server.publish_secrets, lifetime)
    mesh = _mesh()
    orders, catalog = mesh.workloads
    with closing(Allocator()) as allocator:
        async with (
            application("catalog") as port,
            AsyncExitStack() as serving,
            envoy(directory, orders.proxy_id) as caller,
            envoy(directory, catalog.proxy_id) as called,
        ):
            await serving.enter_async_context(server.serve(socket := directory / "xds.sock"))
            placement = _placement(mesh, allocator, {catalog.key: port})
            for workload in mesh.workloads:
                await rotation.add(workload.proxy_id, workload.identity)
                await _configure(server, Compiler(mesh, placement), workload)
            yield Pair(
                server,
                authority,
                rotation,
                caller,
                called,
                placement.outbound[orders.key, "catalog.shop.svc.cluster.local", PORT],
                placement.inbound[catalog.key, PORT],
                socket,
                serving,
            )


def _mesh() -> Mesh:
    objects, problems = parse(Path(__file__).with_name("mesh.yaml").read_text(), "mesh.yaml")
    mesh, more = link(objects)
    assert not [*problems, *more]
    return mesh


def _placement(mesh: Mesh, allocator: Allocator, applications: dict[tuple[str, str], int]) -> Placement:
    return Placement(
        local=True,
        inbound={(key, PORT): allocator.take() for key in applications},
        application={(key, PORT): port for key, port in applications.items()},
        outbound={
            (workload.key, host, port): allocator.take()
            for workload in mesh.workloads
            for host, port in outbound_ports(mesh, workload)
        },
    )


async def _configure(server: Server, compiler: Compiler, workload: Workload) -> None:
    snapshot, problems = compiler.compile(workload)
    assert not problems
    await server.publish(workload.proxy_id, snapshot)
    await server.wait_accepted(workload.proxy_id, snapshot.version, 20)
