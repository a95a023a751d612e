"""Which routes and rules of a mesh no test touched. Input: the Mesh and the Answers of a run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mesh.explain import places
from mesh.explain.answer import Answer
from mesh.explain.places import Source
from mesh.model.mesh import Mesh
from mesh.suite.compare import deciders


@dataclass(frozen=True)
class Covered:
    """Of one kind of thing: how many there are, and those that no test touched."""

    kind: str
    total: int
    untouched: tuple[Source, ...]

    @property
    def touched(self) -> int:
        return self.total - len(self.untouched)


def coverage(mesh: Mesh, answers: Iterable[Answer]) -> tuple[Covered, Covered]:
    """HTTP routes of VirtualServices, and rules of AuthorizationPolicies."""
    found = list(answers)
    routes = {each.route.what for each in found if each.route}
    rules = {source.what for each in found for source in deciders(each)}
    return _covered("routes", places.routes(mesh), routes), _covered("rules", places.rules(mesh), rules)


def _covered(kind: str, everything: Iterable[Source], touched: set[str]) -> Covered:
    known = list(everything)
    return Covered(kind, len(known), tuple(each for each in known if each.what not in touched))
