"""Clusters whose endpoints Envoy finds by name. Source: istiod's buildCluster.

Where nothing is captured a ServiceEntry that says no more than its host is called by that name as well.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.extensions.network.dns_resolver.cares.v3.cares_dns_resolver_pb2 import CaresDnsResolverConfig

from mesh.envoy.typed import extension
from mesh.model.service import Endpoint, Resolution, Service
from mesh.resources.istio.meshconfig import MeshConfig

#: istiod's PILOT_DNS_CARES_UDP_MAX_QUERIES and PILOT_DNS_JITTER_DURATION.
_RESOLVER: Final = extension(
    "envoy.network.dns_resolver.cares", CaresDnsResolverConfig(udp_max_queries={"value": 100})
)
_BY_NAME: Final = (Resolution.DNS, Resolution.DNS_ROUND_ROBIN)
_JITTER: Final = timedelta(milliseconds=100)


def is_named(service: Service, local: bool) -> bool:
    """Whether the endpoints of a service are looked up by name."""
    return service.resolution in _BY_NAME or (local and service.keeps_address)


def resolves(service: Service, cluster: Cluster) -> bool:
    """Whether a cluster is, or is made of one that is, learnt by name."""
    return service.resolution in _BY_NAME or cluster.type == Cluster.STRICT_DNS


def resolve(
    cluster: Any, found: ClusterLoadAssignment, config: MeshConfig, *, whole: bool, empty: bool
) -> bool:
    """Set the names behind a cluster, and how often they are asked for; false for a cluster that there is not, since nothing is
    behind it (``empty`` ones are kept where asked for).

    One that a rule lets pass through after all keeps what it had been given, unless it is a subset.
    """
    passes = cluster.type == Cluster.ORIGINAL_DST
    if passes and not whole:
        return True
    if not found.endpoints and not empty:
        return False
    if not passes:
        cluster.load_assignment.CopyFrom(found)
    cluster.dns_lookup_family = Cluster.V4_ONLY
    cluster.typed_dns_resolver_config.CopyFrom(type(cluster.typed_dns_resolver_config)(**_RESOLVER))
    cluster.dns_jitter.FromTimedelta(_JITTER)
    cluster.dns_refresh_rate.FromTimedelta(config.dns_refresh_rate)
    cluster.respect_dns_ttl = True
    return True


def named(service: Service) -> Service:
    """The service with its host for an endpoint, where its callers would have chosen an address."""
    if not service.keeps_address or "*" in service.hostname:
        return service
    found = (Endpoint(service.hostname, int(p.target), p.name, tls=False) for p in service.ports)
    return replace(service, endpoints=tuple(found))
