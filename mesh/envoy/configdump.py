"""What an Envoy really runs: its admin page ``/config_dump?include_eds`` -> the Snapshot that it has, and what it waits for or refused.

Asked of the proxies of a running mesh and of a cluster by ``mesh.live``. Only what came over xDS is read: an Envoy's own bootstrap, with its
admin and Prometheus listeners, is nobody's configuration.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_pb2 import RouteConfiguration
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from mesh.envoy.extensions import readable
from mesh.envoy.snapshot import Snapshot

MessageT = TypeVar("MessageT", bound=Message)
Plain = Mapping[str, Any]
PATH: Final = "/config_dump?include_eds"


@dataclass(frozen=True)
class Unsettled:
    """A resource that is not what the control plane last said. ``why`` is Envoy's own error; empty while it is still being warmed."""

    kind: str
    name: str
    why: str = ""


@dataclass(frozen=True)
class Dump:
    """An Envoy's configuration at one moment."""

    snapshot: Snapshot
    unsettled: tuple[Unsettled, ...] = ()


def read(page: Plain) -> Dump:
    """The page as it was decoded from JSON. Raises KeyError or ValueError for one that is no config dump."""
    parts = {each["@type"].rpartition(".")[2]: each for each in page["configs"]}
    clusters = _entries(parts, "ClustersConfigDump", "dynamic_active_clusters")
    listeners = _entries(parts, "ListenersConfigDump", "dynamic_listeners")
    routes = _entries(parts, "RoutesConfigDump", "dynamic_route_configs")
    endpoints = _entries(parts, "EndpointsConfigDump", "dynamic_endpoint_configs")
    snapshot = Snapshot(
        clusters=_named(clusters, "cluster", Cluster),
        endpoints=_assignments(endpoints),
        listeners=_named([each.get("active_state", {}) for each in listeners], "listener", Listener),
        routes=_named(routes, "route_config", RouteConfiguration),
    )
    warming = _entries(parts, "ClustersConfigDump", "dynamic_warming_clusters")
    return Dump(snapshot, tuple(_unsettled(clusters, warming, listeners, routes)))


def _entries(parts: Mapping[str, Plain], kind: str, field: str) -> Sequence[Plain]:
    found: Sequence[Plain] = parts.get(kind, {}).get(field, ())
    return found


def _named(entries: Sequence[Plain], field: str, kind: Callable[[], MessageT]) -> dict[str, MessageT]:
    found = (_parsed(each[field], kind) for each in entries if field in each)
    return {message.name: message for message in found}  # type: ignore[attr-defined]


def _assignments(entries: Sequence[Plain]) -> dict[str, Any]:
    given = (each["endpoint_config"] for each in entries if "endpoint_config" in each)
    found: list[Any] = [_parsed(each, ClusterLoadAssignment) for each in given]
    return {each.cluster_name: each for each in found}


def _parsed(given: Plain, kind: Callable[[], MessageT]) -> MessageT:
    plain = {name: readable(value) for name, value in given.items() if name != "@type"}
    return ParseDict(plain, kind(), ignore_unknown_fields=True)


def _unsettled(
    clusters: Sequence[Plain], warming: Sequence[Plain], listeners: Sequence[Plain], routes: Sequence[Plain]
) -> Iterator[Unsettled]:
    yield from (Unsettled("cluster", each["cluster"]["name"]) for each in warming if "cluster" in each)
    for each in listeners:
        name = str(each.get("name", ""))
        if "error_state" in each and name:  # without one it says the same again
            yield Unsettled("listener", name, _error(each))
        elif "warming_state" in each:
            yield Unsettled("listener", name)
    for kind, entries, field in (("cluster", clusters, "cluster"), ("route", routes, "route_config")):
        for each in entries:
            if "error_state" in each:
                yield Unsettled(kind, str(each.get(field, {}).get("name", "")), _error(each))


def _error(entry: Plain) -> str:
    return str(entry["error_state"].get("details", "")) or "it says no reason"
