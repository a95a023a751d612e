"""A real Envoy asks a real authorizer of a CUSTOM policy, about what the policy is for and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import grpc
import pytest
from envoy.service.auth.v3.external_auth_pb2 import CheckRequest, CheckResponse
from google.rpc import code_pb2

from mesh.compile import Compiler
from mesh.envoy.patching import linked
from mesh.local.ports import Allocator
from mesh.model.mesh import Placement
from mesh.resources.object import parse
from mesh.xds.server import Server
from tests.envoy.http import ask, echo
from tests.envoy.running import envoy


class Authorizer:
    """Lets those in who say please."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    async def check(self, request: Any, context: Any) -> Any:
        http = request.attributes.request.http
        self.paths.append(http.path)
        code = code_pb2.OK if http.headers.get("x-say") == "please" else code_pb2.PERMISSION_DENIED
        return CheckResponse(status={"code": code})


@pytest.mark.envoy
async def test_a_provider_is_asked_about_what_its_policy_is_for(tmp_path: Path) -> None:
    authorizer = Authorizer()
    async with running(tmp_path, authorizer) as port:
        assert (await ask(port, "/open", {}))[0] == 200
        assert authorizer.paths == []
        assert (await ask(port, "/admin", {}))[0] == 403
        assert (await ask(port, "/admin", {"x-say": "please"}))[0] == 200
        assert authorizer.paths == ["/admin", "/admin"]
    assert await closed(tmp_path / "closed") == [403, 200], (
        "without its provider a policy denies what it is for"
    )


async def closed(directory: Path) -> list[int]:
    directory.mkdir()
    async with running(directory, Authorizer(), provider="other") as port:
        return [(await ask(port, path, {"x-say": "please"}))[0] for path in ("/admin", "/open")]


@asynccontextmanager
async def running(directory: Path, authorizer: Authorizer, provider: str = "opa") -> AsyncIterator[int]:
    """The port of catalog's sidecar."""
    server, opa = Server(), grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(
        authorizer.check, CheckRequest.FromString, CheckResponse.SerializeToString
    )
    service = "envoy.service.auth.v3.Authorization"
    opa.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, {"Check": handler}),))
    asked = opa.add_insecure_port("127.0.0.1:0")
    await opa.start()
    application = await asyncio.start_server(echo, "127.0.0.1", 0)
    text = Path(__file__).with_name("mesh.yaml").read_text().replace("- name: opa", f"- name: {provider}")
    mesh, _ = linked(parse(text, "mesh.yaml")[0])
    catalog = next(each for each in mesh.workloads if each.name == "catalog")
    with closing(Allocator()) as allocator:
        port = allocator.take()
        place = (catalog.key, 8080)
        placement = Placement(
            local=True,
            inbound={place: port, (("shop", "opa"), 9191): asked},
            application={place: application.sockets[0].getsockname()[1]},
        )
        snapshot, problems = Compiler(mesh, placement).compile(catalog)
        assert bool(problems) == (provider != "opa")
        async with server.serve(directory / "xds.sock"), envoy(directory, catalog.proxy_id):
            await server.publish(catalog.proxy_id, snapshot)
            await server.wait_accepted(catalog.proxy_id, snapshot.version, 20)
            yield port
    application.close()
    await application.wait_closed()
    await opa.stop(None)
