"""What is said of a request: plain data, as `mesh explain -o json` prints it. Shares go from 0 to 1, times are seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from mesh.explain.places import Source
from mesh.simulate.trace import Fault, Limits, Outlier, Retries


class Verdict(StrEnum):
    """``divided``: some shares of the requests get through and others do not."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    ANSWERED = "answered"
    UNROUTED = "unrouted"
    UNREACHABLE = "unreachable"
    DIVIDED = "divided"


@dataclass(frozen=True)
class Near:
    """A rule that nearly matched: what it asks for and the request does not have. ``caller``: it is for this caller."""

    rule: Source
    caller: bool
    wanted: str


@dataclass(frozen=True)
class Onward:
    """The request as it leaves the caller's proxy."""

    authority: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Destination:
    """A workload (or a host outside the mesh) and the share of the requests that it gets."""

    share: float
    workload: str
    host: str
    subset: str
    endpoints: int
    mutual: bool
    verdict: Verdict
    reason: str
    by: tuple[Source, ...]
    near: tuple[Near, ...]
    limits: Limits
    outlier: Outlier | None
    shaped: Source | None
    sent: Onward | None = None


@dataclass(frozen=True)
class Mirror:
    """Where copies of a share of the requests go."""

    share: float
    host: str
    subset: str


@dataclass(frozen=True)
class Answer:
    """``status`` is the HTTP status of an answer that a proxy gives by itself, else 0; ``hint`` what may help; ``differs`` where what runs
    and what is written disagree."""

    source: str
    identity: str
    to: str
    request: str
    verdict: Verdict
    status: int
    reason: str
    hint: Source | None
    route: Source | None
    passed: tuple[tuple[str, str], ...]
    destinations: tuple[Destination, ...]
    timeout: float | None
    retries: Retries | None
    fault: Fault | None
    mirrors: tuple[Mirror, ...]
    unread: tuple[str, ...]
    routed: bool = True
    note: str = ""
    differs: tuple[str, ...] = ()
