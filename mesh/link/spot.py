"""A field of an object: where a check looks and where it reports. The severity of what it reports is the registry's (``codes``)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mesh.link.codes import SEVERITY
from mesh.resources.object import Object
from mesh.resources.problem import Problem
from mesh.resources.tree import Path, dotted


@dataclass(frozen=True)
class Spot:
    """``Spot(object, ("spec",)) / "http" / 0`` is spec.http[0] of the object."""

    object: Object[Any]
    path: Path = ()

    def __truediv__(self, part: str | int) -> Spot:
        return Spot(self.object, (*self.path, part))

    def __str__(self) -> str:
        return dotted(self.path)

    @property
    def namespace(self) -> str:
        return self.object.metadata.namespace

    def problem(self, code: str, message: str, fix: str = "") -> Problem:
        return self.object.problem(self.path, code, message, fix, SEVERITY[code])


def spec(each: Object[Any]) -> Spot:
    """An object's spec."""
    return Spot(each, ("spec",))
