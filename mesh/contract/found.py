"""A finding at the place where a Config's field was written. Used by every kind of finding here."""

from __future__ import annotations

from typing import Any

from mesh.link.codes import SEVERITY
from mesh.model.mesh import Config
from mesh.model.service import Service
from mesh.resources.problem import Place, Problem


def at(config: Config[Any], path: tuple[str | int, ...], code: str, text: str, fix: str) -> Problem:
    return on(config.line(*path), code, text, fix)


def of(service: Service, code: str, text: str, fix: str) -> Problem:
    return on(service.place, code, text, fix)


def on(place: Place, code: str, text: str, fix: str) -> Problem:
    return Problem(place, code, SEVERITY[code], text, fix)
