"""Locality load balancing: a part of DestinationRule's load balancer, and a default in MeshConfig."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Distribute:
    from_: str = field(default="", metadata={"name": "from"})
    to: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failover:
    from_: str = field(default="", metadata={"name": "from"})
    to: str = ""


@dataclass(frozen=True, slots=True)
class LocalityLoadBalancer:
    enabled: bool | None = None
    distribute: tuple[Distribute, ...] = ()
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ZoneAwareLoadBalancer:
    enabled: bool | None = None
    failover: tuple[Failover, ...] = ()
    failover_priority: tuple[str, ...] = ()
    min_cluster_size: int | None = None
