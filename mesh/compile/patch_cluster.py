"""EnvoyFilters' patches of clusters. Source: pilot/pkg/networking/core/envoyfilter/cluster_patch.go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from envoy.config.cluster.v3.cluster_pb2 import Cluster

from mesh.compile.patch import MERGES, Patches
from mesh.envoy.merging import merge, merge_packed
from mesh.envoy.patching import Patch
from mesh.resources.istio.envoyfilter import ApplyTo, ClusterMatch, Operation, PatchContext

_ADDS = (Operation.ADD, Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST)


def patched(
    cluster: Cluster, patches: Patches, context: PatchContext, hosts: Iterable[str] = ()
) -> Cluster | None:
    """The cluster, or a copy that is changed; None when it is removed. ``hosts`` are the services behind an inbound one."""
    made = None
    for patch in patches.of(context, ApplyTo.CLUSTER):
        if patch.operation is not Operation.REMOVE and patch.operation not in MERGES:
            continue
        if _matches(made or cluster, patch.match.cluster, hosts):
            if patch.operation is Operation.REMOVE:
                return None
            if made is None:
                made = Cluster()
                made.CopyFrom(cluster)
            _merge(made, patch)
    return made or cluster


def added(patches: Patches, context: PatchContext) -> Iterator[Cluster]:
    """Clusters that are put in; those for no side in particular once, with the outbound ones."""
    for patch in patches.of(context, ApplyTo.CLUSTER):
        anywhere = patch.match.context is PatchContext.ANY
        if patch.operation in _ADDS and not (anywhere and context is PatchContext.SIDECAR_INBOUND):
            yield patch.value


def _matches(cluster: Cluster, match: ClusterMatch | None, hosts: Iterable[str]) -> bool:
    if match is None:
        return True
    if match.name:
        return bool(match.name == cluster.name)
    direction, port, subset, host = _parts(cluster.name)
    named = list(hosts) if direction == "inbound" and hosts else [host]
    return (
        match.subset in ("", subset)
        and (not match.service or match.service in named)
        and match.port_number in (0, port)
    )


def _parts(name: str) -> tuple[str, int, str, str]:
    """Of ``outbound|PORT|SUBSET|HOST``, or its form with ``_.``; empty ones of another name."""
    parts = name.split("_." if name.startswith(("outbound_.", "inbound_.")) else "|")
    if len(parts) != 4:
        return "", 0, "", ""
    direction, port, subset, host = parts
    return direction, int(port) if port.isdecimal() else 0, subset, host


def _merge(cluster: Any, patch: Patch) -> None:
    """A transport socket of the same name is merged inside, wherever the cluster has it; another takes its place."""
    socket = patch.value.transport_socket
    if not patch.value.HasField("transport_socket"):
        merge(cluster, patch.value, patch.operation is Operation.MERGE_AND_REPLACE_LIST)
        return
    alternatives = [each.transport_socket for each in cluster.transport_socket_matches]
    own = [cluster.transport_socket] if cluster.HasField("transport_socket") else []
    same = next((each for each in alternatives or own if each.name == socket.name), None)
    if same is not None:
        if same.HasField("typed_config") and socket.HasField("typed_config"):
            merge_packed(same.typed_config, socket.typed_config)
    elif not alternatives:
        cluster.transport_socket.CopyFrom(socket)
