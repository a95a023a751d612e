"""Endpoints for clusters that are no longer wanted but that a proxy still waits for.

Envoy answers an update of clusters only when all of them are warm, and a cluster is warm only when it has its
endpoints. When another state without the cluster is published meanwhile, nothing else would ever go on. Part
of Stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment

from mesh.envoy.resource import Resource, pack
from mesh.xds.topic import HELD_BEFORE, Topic


def stand_ins(
    topic: Topic, wanted: Mapping[str, Resource], former: Mapping[str, Resource], paused: bool
) -> dict[str, Resource]:
    """What to send for subscribed endpoints that are not ``wanted``: nothing while the proxy surely has some.

    Else the ones it had, those of a ``former`` state, or none at all, in this order, so that a route that
    still leads there keeps working. ``paused``: the proxy waits for endpoints since before this stream.
    """
    named = {
        name: _stand_in(name, topic.held.get(name), former, paused) for name in topic.names - wanted.keys()
    }
    return {name: resource for name, resource in named.items() if resource}


def _stand_in(
    name: str, held: Resource | None, former: Mapping[str, Resource], paused: bool
) -> Resource | None:
    if held is None:
        return former.get(name) or _empty(name)
    if held.version == HELD_BEFORE and paused:
        return _empty(name)
    if held.version:
        return None
    return Resource(name, "stand-in", held.any) if held.any.type_url else _empty(name)


def _empty(name: str) -> Resource:
    return pack(name, ClusterLoadAssignment(cluster_name=name))
