"""Random requests to a stage, near to what its routes and policies ask for."""

from __future__ import annotations

from dataclasses import dataclass

from mesh.envoy.address import LOOPBACK
from mesh.model.service import Kind, Workload
from mesh.simulate.request import Connection, Request
from tests.parity.random_meshes.dice import Dice
from tests.simulate.stage import Stage

PATHS = (
    "/",
    "/a",
    "/A",
    "/ab",
    "/a/b",
    "/a/b/",
    "/a/b/c",
    "/x/1/y",
    "/x/1/2/y",
    "/shop.v1.Cart/Get",
    "/z",
    "/b",
)
QUERIES = ("", "", "", "?q=1", "?q=p2&r=9", "?r=1", "?q=x")
HEADERS = {
    "x-a": ("one", "onto", "two", ""),
    "x-b": ("one", "two"),
    "x-c": ("one", "two"),
    "x-d": ("two",),
    "end-user": ("one", "on", "two"),
    "x-token": ("one", "zone", "none"),
    "x-1": ("mine",),
    "x-3": ("mine",),
    "x-5": ("mine",),
    "x-6": ("mine",),
    "x": ("y",),
}
HOSTS = (
    "a.example",
    "api.example",
    "a.b.example",
    "cart.shop.svc.cluster.local",
    "web.far.svc.cluster.local:80",
)


@dataclass(frozen=True)
class Sent:
    """A request on a connection to one of the stage's listeners."""

    caller: Workload
    connection: Connection
    request: Request


def random_request(stage: Stage, dice: Dice) -> Sent:
    caller, port, host = dice.one(stage.doors)
    headers = {name: dice.one(HEADERS[name]) for name in dice.some(list(HEADERS), 0, 5)}
    if dice.chance(0.15):
        headers["content-type"] = "application/grpc"
    if dice.chance(0.2):
        headers["x-fail"] = "1"
    authority = dice.one(HOSTS) if caller.kind is Kind.ROUTER or dice.chance(0.1) else host
    path = dice.one(PATHS) + dice.one(QUERIES)
    method = dice.one(["GET", "GET", "POST", "DELETE"])
    request = Request(authority, path, method, headers=headers, http2=False)
    return Sent(caller, Connection(LOOPBACK, port, LOOPBACK), request)
