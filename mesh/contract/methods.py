"""Contracts: gRPC services, their methods, and what each promises. Made by ``read``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from mesh.resources.problem import Place


@dataclass(frozen=True, slots=True)
class Method:
    """``idempotent``: it may be repeated. ``timeout`` is None where the contract does not say; ``streams``: its answer lasts; ``callers``: in
    what roles it is called, which need not be played by anybody who is installed."""

    name: str = ""
    idempotent: bool = False
    timeout: timedelta | None = None
    streams: bool = False
    callers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Contract:
    """One gRPC service, by its full name, and where each method was written."""

    service: str
    methods: tuple[Method, ...]
    places: Mapping[str, Place] = field(default_factory=dict, compare=False)

    def path(self, method: Method) -> str:
        return f"/{self.service}/{method.name}"


@dataclass(frozen=True)
class Contracts:
    """All that is known."""

    all: tuple[Contract, ...] = ()

    @cached_property
    def by_service(self) -> Mapping[str, Contract]:
        return {each.service: each for each in self.all}
