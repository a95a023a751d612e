"""Whom a real Envoy lets in with which token, what it tells the application, and that simulate says the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from mesh.compile import Compiler
from mesh.envoy.snapshot import Snapshot
from mesh.link.link import link
from mesh.local.ports import Allocator
from mesh.model.mesh import Mesh, Placement
from mesh.resources.object import parse
from mesh.simulate import proxy
from mesh.simulate.request import Connection, Request
from mesh.simulate.trace import Outcome
from mesh.xds.server import Server
from tests.envoy.http import ask, echo
from tests.envoy.jwt.tokens import Issuer, unsigned
from tests.envoy.running import envoy

USERS, ROBOTS = "https://users.example", "https://robots.example"
ADA = {"iss": USERS, "sub": "ada", "aud": "shop"}
GOLD = {**ADA, "scope": "read admin", "account": {"plan": "gold"}}
R2 = {"iss": ROBOTS, "sub": "r2"}
ISSUERS = {USERS: Issuer(), ROBOTS: Issuer()}
STRANGER = Issuer()


@dataclass(frozen=True)
class Case:
    """``claims`` are those of a token that its issuer signed and that has not expired, which is all that simulate knows of one."""

    path: str
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None
    query: str = ""
    simulated: bool = True


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def good(claims: dict[str, Any]) -> str:
    return ISSUERS[claims["iss"]].token(claims)


def shown(path: str, status: int, claims: dict[str, Any]) -> Case:
    return Case(path, status, bearer(good(claims)), claims)


CASES = {
    "no token where none is asked for": Case("/open", 200),
    "no token where one is": Case("/any", 403),
    "a good one": shown("/any", 200, ADA),
    "a good one, for what it says not enough for": shown("/admin", 403, ADA),
    "one with the claims that are asked for": shown("/admin", 200, GOLD),
    "for another audience": shown("/any", 403, {**ADA, "aud": "bank"}),
    "for several audiences": shown("/any", 200, {**ADA, "aud": ["bank", "https://shop/"]}),
    "for no audience": shown("/open", 403, {"iss": USERS, "sub": "ada"}),
    "of an issuer that nobody knows": Case("/open", 401, bearer(STRANGER.token({"iss": "x"})), {"iss": "x"}),
    "by another key": Case("/any", 401, bearer(STRANGER.token(ADA)), simulated=False),
    "by another key, where none is asked for": Case(
        "/open", 401, bearer(STRANGER.token(ADA)), simulated=False
    ),
    "expired": Case("/any", 401, bearer(ISSUERS[USERS].token(ADA, -3600)), simulated=False),
    "without a signature": Case("/any", 401, bearer(unsigned(ADA)), simulated=False),
    "that is none": Case("/open", 401, bearer("abc"), simulated=False),
    "in a header of its own": Case("/any", 200, {"x-robot": f"Robot {good(R2)}"}, R2),
    "as a parameter": Case("/any", 200, {}, R2, f"?robot={good(R2)}"),
    "in a cookie": Case("/any", 200, {"cookie": f"a=b; robot={good(R2)}"}, R2),
    "of a robot that may not": Case(
        "/any", 403, {"x-robot": f"Robot {good({**R2, 'sub': 'r3'})}"}, {**R2, "sub": "r3"}
    ),
    "where its provider does not look": Case("/any", 403, {"x-token": good(ADA)}),
}


@pytest.mark.envoy
async def test_each_token_is_judged_as_simulated(tmp_path: Path) -> None:
    async with running(tmp_path) as (port, snapshot):
        answered = {name: (await asked(port, case))[0] for name, case in CASES.items()}
        assert answered == {name: case.status for name, case in CASES.items()}
        known = {name: case for name, case in CASES.items() if case.simulated}
        assert {n: simulated(snapshot, port, c) for n, c in known.items()} == {n: answered[n] for n in known}
        await tells_the_application(port)


async def tells_the_application(port: int) -> None:
    forged = {"x-user": "root", "x-payload": "e30", "x-plan": "gold"}
    _, got = await asked(port, Case("/open", 200, forged))
    assert not {*forged} & {*got}

    _, got = await asked(port, Case("/admin", 200, {**bearer(good(GOLD)), "x-user": "root"}))
    assert (got["x-user"], got["x-plan"]) == ("ada", "gold")
    assert "x-payload" in got
    assert "authorization" not in got

    _, got = await asked(port, Case("/any", 200, {"x-robot": f"Robot {good(R2)}"}))
    assert "x-robot" in got


def simulated(snapshot: Snapshot, port: int, case: Case) -> int:
    request = Request("catalog", case.path, "GET", http2=False, claims=case.claims)
    made = proxy.inbound(snapshot, Connection("127.0.0.1", port, "127.0.0.1", alpn=("http/1.1",)), request)
    return 200 if made.outcome is Outcome.FORWARDED else made.status


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[tuple[int, Snapshot]]:
    """The sidecar of catalog before an application that answers with the headers that it was sent; its port and configuration."""
    server, mesh = Server(), _mesh()
    (workload,) = mesh.workloads
    application = await asyncio.start_server(echo, "127.0.0.1", 0)
    with closing(Allocator()) as allocator:
        place = (workload.key, 8080)
        port, app = allocator.take(), application.sockets[0].getsockname()[1]
        placement = Placement(local=True, inbound={place: port}, application={place: app})
        snapshot, problems = Compiler(mesh, placement).compile(workload)
        assert not problems
        async with server.serve(directory / "xds.sock"), envoy(directory, workload.proxy_id):
            await server.publish(workload.proxy_id, snapshot)
            await server.wait_accepted(workload.proxy_id, snapshot.version, 20)
            yield port, snapshot
    application.close()
    await application.wait_closed()


def _mesh() -> Mesh:
    objects, problems = parse(Path(__file__).with_name("mesh.yaml").read_text(), "mesh.yaml")
    mesh, more = link(objects)
    assert not [*problems, *more]
    return replace(mesh, keys={(issuer, ""): each.keys for issuer, each in ISSUERS.items()})


async def asked(port: int, case: Case) -> tuple[int, dict[str, str]]:
    return await ask(port, f"{case.path}{case.query}", case.headers)
