"""The listener that takes every connection the pod opens, and hands it to the listener of its address.

Source: istiod's buildVirtualOutboundListener.
"""

from __future__ import annotations

from envoy.config.core.v3.base_pb2 import TrafficDirection
from envoy.config.listener.v3.listener_components_pb2 import FilterChain
from envoy.config.listener.v3.listener_pb2 import Listener

from mesh.compile import tcp
from mesh.compile.outbound import catch_all_cluster
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.envoy import names
from mesh.envoy.address import ANY, socket_address

PORT = 15001


def virtual_outbound(scope: Scope, side: Side) -> Listener:
    loop = FilterChain(
        name="virtualOutbound-blackhole",
        filter_chain_match={"destination_port": {"value": PORT}},
        filters=[tcp.to(names.BLACK_HOLE, None)],
    )
    unknown = FilterChain(
        name="virtualOutbound-catchall-tcp", filters=[tcp.to(catch_all_cluster(scope), side)]
    )
    return Listener(
        name="virtualOutbound",
        address=socket_address(ANY, PORT),
        filter_chains=[loop, unknown],
        use_original_dst={"value": True},
        traffic_direction=TrafficDirection.OUTBOUND,
        access_log=side.unrouted,
        max_connections_to_accept_per_socket_event={"value": 1},
    )
