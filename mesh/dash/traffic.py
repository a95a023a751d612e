"""Istio's metrics -> who calls whom, how often, how well, how fast, and whether by mTLS. Used by topology.

What the caller's side counted decides, since it has seen what never arrived; where only the called side counts (a caller outside of
the mesh), it is taken. Whether it was mTLS is what the called side saw.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from mesh.dash import queries
from mesh.dash.prometheus import Prometheus, Sample
from mesh.observe.edges import STATUSES

UNKNOWN: Final = "unknown"
_SERVER_ERROR: Final = 500
_LEAST: Final = 1e-9
_AT_ONCE: Final = 4


@dataclass(frozen=True, order=True)
class Ends:
    """Workloads as ``namespace/name``; ``service`` as ``namespace/name`` too. "" where Prometheus says unknown."""

    source: str
    target: str
    service: str


@dataclass
class Flow:
    """All that was measured between two ends."""

    statuses: dict[str, float] = field(default_factory=dict)
    arrived: dict[str, float] = field(default_factory=dict)
    secured: set[str] = field(default_factory=set)
    latency: dict[float, float] = field(default_factory=dict)
    bytes: float = 0.0
    opened: float = 0.0
    protocol: str = ""


@dataclass(frozen=True)
class Breaking:
    """Of one proxy's cluster: retries and refused requests a second, whether its circuit is open, hosts that are ejected."""

    retries: float = 0.0
    refused: float = 0.0
    open: bool = False
    ejected: int = 0


@dataclass(frozen=True)
class Traffic:
    """``breaking`` by (namespace/pod, cluster's name)."""

    flows: Mapping[Ends, Flow]
    breaking: Mapping[tuple[str, str], Breaking]


def traffic(prometheus: Prometheus, window: float, at: float | None) -> Traffic:
    """Of the ``window`` seconds before ``at``. Raises Unreachable."""
    asked = {
        "requests": queries.REQUESTS,
        "sent": queries.SENT,
        "opened": queries.OPENED,
        "retries": queries.RETRIES,
        "refused": queries.REFUSED,
        "open": queries.OPEN,
        "pending": queries.PENDING_OPEN,
        "ejected": queries.EJECTED,
    }
    texts = {name: queries.written(query, window) for name, query in asked.items()}
    texts |= {f"q{q}": queries.written(queries.LATENCY, window, q) for q in queries.QUANTILES}
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        answers = dict(
            zip(texts, pool.map(lambda text: prometheus.instant(text, at), texts.values()), strict=True)
        )
    latencies = {q: answers[f"q{q}"] for q in queries.QUANTILES}
    return Traffic(
        flows(answers["requests"], latencies, answers["sent"], answers["opened"]),
        breaking(
            answers["retries"],
            answers["refused"],
            [*answers["open"], *answers["pending"]],
            answers["ejected"],
        ),
    )


def flows(
    requests: Iterable[Sample],
    latencies: Mapping[float, Iterable[Sample]],
    sent: Iterable[Sample],
    opened: Iterable[Sample],
) -> dict[Ends, Flow]:
    """In order of ends; what nothing passed through is left out."""
    found: defaultdict[Ends, Flow] = defaultdict(Flow)
    for each in requests:
        if each.value > _LEAST:
            _request(found[ends(each.labels)], each)
    for quantile, samples in latencies.items():
        for each in samples:
            key = ends(each.labels)
            if key in found and each.value == each.value:
                found[key].latency[quantile] = each.value
    for each in [*sent, *opened]:
        if each.value > _LEAST:
            flow = found[ends(each.labels)]
            flow.protocol = flow.protocol or "tcp"
            _secured(flow, each)
    for samples, name in ((sent, "bytes"), (opened, "opened")):
        for each in samples:
            if each.labels.get("reporter") == "source" and (key := ends(each.labels)) in found:
                setattr(found[key], name, getattr(found[key], name) + each.value)
    return {key: _decided(found[key]) for key in sorted(found)}


def _request(flow: Flow, sample: Sample) -> None:
    incoming = sample.labels.get("reporter") == "destination"
    counted, name = flow.arrived if incoming else flow.statuses, status(sample.labels)
    counted[name] = counted.get(name, 0.0) + sample.value
    flow.protocol = sample.labels.get("request_protocol", "http")
    _secured(flow, sample)


def _secured(flow: Flow, sample: Sample) -> None:
    if sample.labels.get("reporter") == "destination":
        flow.secured.add(sample.labels.get("connection_security_policy", UNKNOWN))


def _decided(flow: Flow) -> Flow:
    flow.statuses = flow.statuses or flow.arrived
    return flow


def ends(labels: Mapping[str, str]) -> Ends:
    return Ends(
        _named(labels, "source_workload", "source_workload_namespace"),
        _named(labels, "destination_workload", "destination_workload_namespace"),
        _named(labels, "destination_service_name", "destination_service_namespace"),
    )


def _named(labels: Mapping[str, str], name: str, namespace: str) -> str:
    found = labels.get(name, UNKNOWN)
    if found in (UNKNOWN, ""):
        return ""
    where = labels.get(namespace, UNKNOWN)
    return found if where in (UNKNOWN, "") else f"{where}/{found}"


def status(labels: Mapping[str, str]) -> str:
    """gRPC's name of it, else HTTP's code; "HTTP 0" is a caller that left."""
    grpc = labels.get("grpc_response_status", "")
    if grpc.isdigit() and int(grpc) < len(STATUSES):
        return STATUSES[int(grpc)]
    return f"HTTP {labels.get('response_code', '0')}"


def failed(name: str) -> bool:
    """A gRPC status other than OK, or an HTTP status that says that the server failed, or that nobody was there to answer."""
    if name.startswith("HTTP "):
        return int(name[5:]) >= _SERVER_ERROR or name == "HTTP 0"
    return name != "OK"


def breaking(
    retries: Iterable[Sample], refused: Iterable[Sample], open_: Iterable[Sample], ejected: Iterable[Sample]
) -> dict[tuple[str, str], Breaking]:
    told: defaultdict[tuple[str, str], dict[str, float]] = defaultdict(dict)
    for name, samples in (("retries", retries), ("refused", refused), ("open", open_), ("ejected", ejected)):
        for each in samples:
            key = (
                f"{each.labels.get('namespace', '')}/{each.labels.get('pod', '')}",
                each.labels.get("cluster_name", ""),
            )
            told[key][name] = max(told[key].get(name, 0.0), each.value)
    return {
        key: Breaking(
            of.get("retries", 0.0),
            of.get("refused", 0.0),
            of.get("open", 0.0) > 0,
            int(of.get("ejected", 0.0)),
        )
        for key, of in told.items()
        if any(of.values())
    }
