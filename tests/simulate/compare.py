"""One random mesh: staged, run, asked, and compared with what simulate says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mesh.ca.authority import Authority
from mesh.live.visit import visit
from mesh.simulate.call import call
from mesh.simulate.text import Unsimulated
from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.mesh import random_mesh
from tests.simulate.envoy import PortTaken, running
from tests.simulate.outcome import Result, agrees, came, possible
from tests.simulate.requests import Sent, random_request
from tests.simulate.stage import Stage, stage

_SECONDS = 20


@dataclass(frozen=True)
class Disagreement:
    seed: str
    number: int
    sent: Sent
    expected: list[Result]
    got: Result

    def __str__(self) -> str:
        sent = self.sent
        request = sent.request
        lines = [
            f"{self.seed} #{self.number}: {sent.caller.namespace}/{sent.caller.name} by port {sent.connection.port}:"
            f" {request.method} {request.path} {request.authority} {dict(request.headers)}",
            *(f"    simulate: {each}" for each in self.expected),
            f"    envoy:    {self.got}",
        ]
        return "\n".join(lines)


@dataclass(frozen=True)
class Compared:
    """``skipped`` are requests of which simulate says nothing."""

    pairs: int = 0
    skipped: int = 0
    disagreements: tuple[Disagreement, ...] = ()


def compare(seed: str, requests: int, authority: Authority, folder: Path) -> Compared:
    """Ask ``requests`` of the mesh that a seed stands for."""
    while True:
        try:
            return _compare(seed, requests, authority, folder)
        except PortTaken:
            continue  # by another program, since it was found free


def _compare(seed: str, requests: int, authority: Authority, folder: Path) -> Compared:
    made = stage(random_mesh(seed))
    dice = Dice(f"{seed} requests")
    if not made.doors:
        return Compared()
    asked = [random_request(made, dice) for _ in range(requests)]
    known = [(i, sent, expected(made, sent)) for i, sent in enumerate(asked)]
    told = [(i, sent, results) for i, sent, results in known if results is not None]
    with running(made, authority, folder):
        found = tuple(_disagreements(seed, told))
    return Compared(len(told), len(known) - len(told), found)


def expected(made: Stage, sent: Sent) -> list[Result] | None:
    try:
        trace = call(made.proxies[sent.caller.proxy_id], sent.connection, sent.request, made.find)
    except Unsimulated:
        return None
    return possible(made, trace, sent.request)


def _disagreements(seed: str, told: list[tuple[int, Sent, list[Result]]]) -> Iterator[Disagreement]:
    for i, sent, results in told:
        got = ask(sent)
        if not agrees(results, got):
            yield Disagreement(seed, i, sent, results, got)


def ask(sent: Sent) -> Result:
    request = sent.request
    headers = {"host": request.authority, **request.headers}
    order = {
        "host": sent.connection.address,
        "port": sent.connection.port,
        "verb": request.method,
        "path": request.path,
        "headers": headers,
        "body": "",
        "count": 1,
        "seconds": _SECONDS,
    }
    ((status, given, body),) = visit(order)
    return came(status, given, body)
