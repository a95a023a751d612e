"""The documents of mistakes/ with what their comments say is wrong, and the mesh that each is linked with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from mesh.envoy.patching import linked as link
from mesh.model.mesh import Mesh
from mesh.resources.object import Object, parse
from mesh.resources.problem import Problem

HERE = Path(__file__).parent
_SAID = re.compile(r"  # (MW\d{4} .*)$")
_NAME = re.compile(r"^(?:metadata: \{|  )name: ([^,}\n]+)", re.MULTILINE)
_TAKEN = "  # a cluster takes it"
#: (line, code, severity, a part of the message)
Said = tuple[int, str, str, str]


@dataclass(frozen=True)
class Case:
    """One document, which may be several objects, and its mistakes."""

    file: str
    name: str
    text: str
    said: tuple[Said, ...]

    @property
    def taken(self) -> bool:
        """Whether a cluster would take it: what is right, and mistakes that are marked so."""
        return not self.said or _TAKEN in self.text


def cases(path: Path) -> Iterator[Case]:
    """The documents of a file; an object that begins with ``---  # and`` belongs to the one before."""
    for text in re.split(r"^---\n", path.read_text(), flags=re.MULTILINE):
        name = _NAME.search(text)
        assert name, text
        yield Case(path.name, name[1], text, tuple(_said(text)))


def _said(text: str) -> Iterator[Said]:
    for number, line in enumerate(text.splitlines(), 1):
        if found := _SAID.search(line):
            for each in found[1].split(" ;; "):
                code, severity, message = each.split(" ", 2)
                yield number, code, severity, message


@cache
def mesh() -> tuple[Object[Any], ...]:
    """The objects of mesh.yaml."""
    objects, problems = parse((HERE / "mesh.yaml").read_text(), "mesh.yaml")
    assert not problems, problems
    return tuple(objects)


def linked(case: Case) -> tuple[list[Object[Any]], Mesh, list[Problem]]:
    """The document's own objects, the mesh with them, and all that is wrong."""
    objects, wrong = parse(case.text, case.file)
    made, problems = link([*mesh(), *objects])
    return objects, made, [*wrong, *problems]
