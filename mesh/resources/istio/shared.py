"""Types that several of Istio's kinds use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class StringMatch:
    """Exactly one of the three is given; none at all matches any value that is present."""

    exact: str | None = None
    prefix: str | None = None
    regex: str | None = None


@dataclass(frozen=True, slots=True)
class PortSelector:
    number: int = 0


@dataclass(frozen=True, slots=True)
class Destination:
    host: str = ""
    subset: str = ""
    port: PortSelector | None = None


@dataclass(frozen=True, slots=True)
class PolicyTargetReference:
    group: str = ""
    kind: str = ""
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class WorkloadSelector:
    """Labels that a pod must have. ``match_labels`` is the security API's name, ``labels`` the networking API's."""

    match_labels: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    def selects(self, labels: Mapping[str, str]) -> bool:
        wanted = {**self.match_labels, **self.labels}
        return all(labels.get(key) == value for key, value in wanted.items())
