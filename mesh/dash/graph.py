"""A mesh as a picture: what there is, who calls whom, and what is wrong. Plain data, as the page gets it.

Made by topology. Rates are a second, latencies milliseconds, shares from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What a node is."""

    WORKLOAD = "workload"
    GATEWAY = "gateway"
    DATABASE = "database"
    BROKER = "broker"
    SERVICE = "service"  # a Service of which nobody is seen, or that nobody answered for
    EXTERNAL = "external"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """From best to worst, but for IDLE, of which nothing is known but that it runs."""

    GOOD = "good"
    IDLE = "idle"
    POOR = "poor"
    BAD = "bad"


@dataclass(frozen=True)
class Pod:
    """One pod of a workload. ``accepted`` is None where nobody says what its proxy has accepted, as on a cluster."""

    name: str
    ready: bool
    restarts: int
    reason: str
    proxy: bool
    accepted: bool | None
    version: str
    rejected: str
    identity: str
    certificate_until: str


@dataclass(frozen=True)
class Node:
    """``id`` is ``namespace/name``; ``why`` says in words what its health comes from."""

    id: str
    name: str
    namespace: str
    service: str
    version: str
    kind: Kind
    pods: tuple[Pod, ...] = ()
    health: Health = Health.IDLE
    why: tuple[str, ...] = ()
    problems: tuple[int, ...] = ()


@dataclass(frozen=True)
class Edge:
    """``statuses`` are rates by gRPC status or HTTP code. ``mtls`` is what the called side saw, None when it could not see.

    ``configured`` and ``measured`` are this edge's shares of what the caller sends to the service, None where one place gets all.
    ``declared`` edges are known from configuration only: nothing counts what passes there.
    """

    source: str
    target: str
    protocol: str
    statuses: Mapping[str, float] = field(default_factory=dict)
    rate: float = 0.0
    failed: float = 0.0
    p50: float | None = None
    p95: float | None = None
    p99: float | None = None
    mtls: bool | None = None
    bytes: float = 0.0
    configured: float | None = None
    measured: float | None = None
    retries: float = 0.0
    refused: float = 0.0
    open: bool = False
    ejected: int = 0
    declared: bool = False


@dataclass(frozen=True)
class Finding:
    """A Problem of mesh.link's, and the nodes that it is about."""

    code: str
    severity: str
    message: str
    fix: str
    object: str
    path: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Graph:
    """``at`` is in seconds since 1970; ``notes`` say what could not be read, for people."""

    at: float
    window: float
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    problems: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
