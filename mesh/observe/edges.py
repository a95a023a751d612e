"""Who calls whom, how often, how well and how fast, between two looks at the proxies' counters. Used by `mesh top`.

Input: Istio's metrics, by proxy. What the caller's side counted decides, since it has seen what never arrived; whether it was mTLS is
what the called side saw.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from mesh.observe.exposition import Sample
from mesh.observe.istio import UNKNOWN

Key = tuple[str, str]
Counts = Mapping[tuple[str, frozenset[tuple[str, str]]], float]

_REQUESTS: Final = "istio_requests_total"
_BUCKET: Final = "istio_request_duration_milliseconds_bucket"
_SERVER_ERROR: Final = 500
_LEAST_HTTP: Final = 100

#: By number (https://grpc.io/docs/guides/status-codes/).
STATUSES: Final = (
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
)


@dataclass
class Edge:
    """``statuses`` counts requests by gRPC status, or by HTTP status where there is none; ``buckets`` by their largest milliseconds."""

    source: str
    destination: str
    seconds: float
    statuses: Counter[str] = field(default_factory=Counter)
    buckets: Counter[float] = field(default_factory=Counter)
    secured: Counter[str] = field(default_factory=Counter)

    @property
    def requests(self) -> float:
        return self.statuses.total()

    @property
    def rate(self) -> float:
        """A second."""
        return self.requests / self.seconds

    @property
    def failed(self) -> float:
        """The share of requests that did not end well."""
        return sum(n for status, n in self.statuses.items() if _failed(status)) / max(self.requests, 1)

    @property
    def encrypted(self) -> bool | None:
        """Whether all that arrived came by mTLS; None when nothing arrived, or nobody could see."""
        return set(self.secured) == {"mutual_tls"} if self.secured else None

    def quantile(self, share: float) -> float | None:
        """Milliseconds within which that share of requests ended, as histogram_quantile of Prometheus has it; None without requests."""
        bounds = sorted(self.buckets)
        whole = self.buckets[bounds[-1]] if bounds else 0
        if not whole:
            return None
        below, start = 0.0, 0.0
        for bound in bounds:
            if self.buckets[bound] >= share * whole:
                if bound == float("inf"):
                    return start
                within = self.buckets[bound] - below
                return start + (bound - start) * (share * whole - below) / within
            below, start = self.buckets[bound], bound
        return start


def counts(samples: Iterable[Sample]) -> Counts:
    """By name and labels, of all proxies together."""
    found: dict[tuple[str, frozenset[tuple[str, str]]], float] = defaultdict(float)
    for each in samples:
        found[each.name, frozenset(each.labels.items())] += each.value
    return found


def edges(before: Counts, after: Counts, seconds: float) -> Sequence[Edge]:
    """In order of names. What a proxy has counted anew, because it was started anew, counts from nothing."""
    found: dict[Key, Edge] = {}
    secured: dict[Key, Counter[str]] = defaultdict(Counter)
    for (name, items), value in after.items():
        more = value - before.get((name, items), 0.0)
        grown = more if more >= 0 else value
        if not grown or name not in (_REQUESTS, _BUCKET):
            continue
        labels = dict(items)
        key = (_called(labels, "source"), _called(labels, "destination"))
        if labels["reporter"] == "destination":
            if name == _REQUESTS:
                secured[key][labels["connection_security_policy"]] += int(grown)
            continue
        edge = found.setdefault(key, Edge(*key, seconds))
        if name == _REQUESTS:
            edge.statuses[_status(labels)] += int(grown)
        elif name == _BUCKET:
            edge.buckets[float(labels["le"].replace("+Inf", "inf"))] += int(grown)
    for key, edge in found.items():
        edge.secured = secured[key]
    return [found[key] for key in sorted(found)]


def _called(labels: Mapping[str, str], side: str) -> str:
    workload = labels[f"{side}_workload"]
    return labels["destination_service_name"] if workload == UNKNOWN and side == "destination" else workload


def _status(labels: Mapping[str, str]) -> str:
    return labels["grpc_response_status"] or labels["response_code"]


def _failed(status: str) -> bool:
    """A gRPC status other than OK, or an HTTP status that says that the server failed."""
    number = int(status) if status.isdigit() else 0
    return number >= _SERVER_ERROR if number >= _LEAST_HTTP else status != "0"
