"""Endpoints for clusters that are no longer wanted but that a proxy still waits for.

Envoy answers an update of clusters only when all of them are warm, and a cluster is warm only when it has its endpoints. When another
state without the cluster is published meanwhile, nothing else would ever go on. Part of Stream.
"""

from __future__ import annotations

from collections.abc import Mapping

from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment

from mesh.envoy.resource import Resource, pack
from mesh.xds.topic import HELD_BEFORE, Topic


def stand_ins(topic: Topic, wanted: Mapping[str, Resource], paused: bool) -> dict[str, Resource]:
    """What to send for subscribed endpoints that are not ``wanted``: nothing while the proxy surely has some.

    Else the last ones that it accepted, so that a route that still leads there keeps working, or an empty set.
    ``paused``: the proxy waits for endpoints since before this stream.
    """
    return {
        name: _stand_in(topic, name) for name in topic.names - wanted.keys() if _waits(topic, name, paused)
    }


def _waits(topic: Topic, name: str, paused: bool) -> bool:
    held = topic.held.get(name)
    return held is None or not held.version or (held.version == HELD_BEFORE and paused)


def _stand_in(topic: Topic, name: str) -> Resource:
    return topic.good.get(name) or pack(name, ClusterLoadAssignment(cluster_name=name))
