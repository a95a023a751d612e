"""Which route configurations a set of listeners asks for."""

from __future__ import annotations

from collections.abc import Iterable

from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)


def route_names(listeners: Iterable[Listener]) -> list[str]:
    """Each name once, in the order of the listeners."""
    found: dict[str, None] = {}
    for listener in listeners:
        for chain in (*listener.filter_chains, listener.default_filter_chain):
            for each in chain.filters:
                manager = HttpConnectionManager()
                if each.typed_config.Unpack(manager) and manager.HasField("rds"):
                    found[manager.rds.route_config_name] = None
    return list(found)
