"""A test file as it is written. docs/test.md says what each field means; ``read`` makes these, with a Problem for what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from mesh.explain.answer import Verdict
from mesh.resources.scalar import DurationOrZero


@dataclass(frozen=True, slots=True)
class Sent:
    """The request as it leaves the caller's proxy: a missing field is not compared, and headers are those that must be among it."""

    path: str | None = None
    authority: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is expected of an Answer. ``None`` is not compared, an empty mapping neither; shares are ``90%`` or a whole number of percent."""

    verdict: Verdict = Verdict.ALLOWED
    by: str | None = None
    status: int | None = None
    route: str | None = None
    shares: Mapping[str, int | str] = field(default_factory=dict)
    mirrors: Mapping[str, int | str] = field(default_factory=dict)
    mtls: bool | None = None
    attempts: int | None = None
    per_try: timedelta | None = None
    timeout: DurationOrZero | None = None
    sent: Sent | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Requests that ought to meet the same: one of each combination of ``from``, ``to`` and ``method`` or ``path``."""

    name: str = ""
    from_: tuple[str, ...] = ()
    to: tuple[str, ...] = ()
    method: tuple[str, ...] = ()
    path: tuple[str, ...] = ()
    verb: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None
    expect: Expected | None = None


@dataclass(frozen=True, slots=True)
class Suite:
    """A file."""

    cases: tuple[Case, ...] = ()
