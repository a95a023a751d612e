"""Load balancing: which endpoint a request goes to. Source: istiod's applyLoadBalancer."""

from __future__ import annotations

from envoy.config.cluster.v3.cluster_pb2 import Cluster

from mesh.compile.warmup import slow_start
from mesh.resources.istio.destinationrule import Balancer, ConsistentHash, LoadBalancer

#: Istio's ring when a rule hashes without saying how large.
_RING = 1024


def passes_through(given: LoadBalancer | None) -> bool:
    """Whether the caller's own choice of address is kept."""
    return given is not None and given.simple is Balancer.PASSTHROUGH


def apply(cluster: Cluster, given: LoadBalancer | None) -> None:
    """Set the policy of a cluster whose type is final."""
    if cluster.type == Cluster.ORIGINAL_DST:
        cluster.lb_policy = Cluster.CLUSTER_PROVIDED
        return
    simple = given.simple if given else None
    if simple is Balancer.RANDOM:
        cluster.lb_policy = Cluster.RANDOM
    elif simple is Balancer.ROUND_ROBIN:
        cluster.lb_policy = Cluster.ROUND_ROBIN
        if warmup := slow_start(given):
            cluster.round_robin_lb_config.slow_start_config.CopyFrom(warmup)
    else:
        cluster.lb_policy = Cluster.LEAST_REQUEST
        if warmup := slow_start(given):
            cluster.least_request_lb_config.slow_start_config.CopyFrom(warmup)
    if given and given.consistent_hash:
        _hash(cluster, given.consistent_hash)


def _hash(cluster: Cluster, given: ConsistentHash) -> None:
    if given.maglev is not None:
        cluster.lb_policy = Cluster.MAGLEV
        if given.maglev.table_size:
            cluster.maglev_lb_config.table_size.value = given.maglev.table_size
        return
    cluster.lb_policy = Cluster.RING_HASH
    size = given.ring_hash.minimum_ring_size if given.ring_hash else given.minimum_ring_size or _RING
    if size:
        cluster.ring_hash_lb_config.minimum_ring_size.value = size
