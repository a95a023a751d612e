"""The linked mesh: everything compile needs to know, resolved, immutable, in a deterministic order.

Made by link from the parsed objects; each push works from one Mesh value. The Istio policies keep their typed specs from
``mesh.resources.istio`` with every host fully qualified; what link adds is which resources apply where.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from mesh.model.service import Service, Workload
from mesh.resources.istio.destinationrule import DestinationRuleSpec
from mesh.resources.istio.envoyfilter import EnvoyFilterSpec
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.network import GatewaySpec, SidecarSpec
from mesh.resources.istio.requestauthentication import RequestAuthenticationSpec
from mesh.resources.istio.security import AuthorizationPolicySpec, PeerAuthenticationSpec
from mesh.resources.istio.telemetry import TelemetrySpec
from mesh.resources.istio.virtualservice import VirtualServiceSpec
from mesh.resources.object import Object
from mesh.resources.problem import Place

SpecT = TypeVar("SpecT", covariant=True)


@dataclass(frozen=True)
class Config(Generic[SpecT]):
    """One Istio resource as it applies: its spec with fully qualified hosts, and where it was written."""

    name: str
    namespace: str
    spec: SpecT
    creation: str = ""
    place: Place = field(default=Place(), compare=False)
    source: Object[Any] | None = field(default=None, repr=False, compare=False)

    def line(self, *path: str | int) -> Place:
        """Where a field was written, as in ``line("spec", "http", 0)``."""
        return self.source.place(*path) if self.source else self.place


@dataclass(frozen=True)
class Placement:
    """The one difference between the two engines in compiled configuration.

    On a cluster traffic is captured (15001, 15006) and every field is empty. Locally a sidecar listens on loopback ports, and all
    addresses are 127.0.0.1:

    - ``inbound``: (pod key, container port) -> the port its sidecar listens on for callers; an endpoint's address is 127.0.0.1 and
      this port.
    - ``application``: (pod key, container port) -> the port the process itself is bound to.
    - ``outbound``: (pod key, service hostname, service port) -> the port on which that pod's sidecar listens for calls to the service.
    - ``gateway``: (pod key, gateway server port) -> the port that a router listens on for it.
    - ``observatory``: the cluster to which every proxy sends its spans, whichever tracing provider is configured, and for which it counts
      requests as Istio does; empty where nobody watches.
    """

    local: bool = False
    inbound: Mapping[tuple[tuple[str, str], int], int] = field(default_factory=dict)
    application: Mapping[tuple[tuple[str, str], int], int] = field(default_factory=dict)
    outbound: Mapping[tuple[tuple[str, str], str, int], int] = field(default_factory=dict)
    gateway: Mapping[tuple[tuple[str, str], int], int] = field(default_factory=dict)
    observatory: str = ""


CLUSTER = Placement()


@dataclass(frozen=True)
class Mesh:
    """A whole mesh. Services and Istio resources are ordered by creation, then name (istiod's order); workloads as given.

    ``keys`` are JSON Web Key Sets that were fetched, by (issuer, URL): what files alone do not say.
    """

    services: tuple[Service, ...] = ()
    workloads: tuple[Workload, ...] = ()
    virtual_services: tuple[Config[VirtualServiceSpec], ...] = ()
    destination_rules: tuple[Config[DestinationRuleSpec], ...] = ()
    gateways: tuple[Config[GatewaySpec], ...] = ()
    sidecars: tuple[Config[SidecarSpec], ...] = ()
    peer_authentications: tuple[Config[PeerAuthenticationSpec], ...] = ()
    authorization_policies: tuple[Config[AuthorizationPolicySpec], ...] = ()
    request_authentications: tuple[Config[RequestAuthenticationSpec], ...] = ()
    telemetries: tuple[Config[TelemetrySpec], ...] = ()
    envoy_filters: tuple[Config[EnvoyFilterSpec], ...] = ()
    config: MeshConfig = field(default_factory=MeshConfig)
    keys: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @cached_property
    def service_by_host(self) -> Mapping[str, Service]:
        return {service.hostname: service for service in self.services}

    @cached_property
    def workloads_by_namespace(self) -> Mapping[str, tuple[Workload, ...]]:
        names = dict.fromkeys(workload.namespace for workload in self.workloads)
        return {name: tuple(w for w in self.workloads if w.namespace == name) for name in names}

    @cached_property
    def workload_by_proxy(self) -> Mapping[str, Workload]:
        return {workload.proxy_id: workload for workload in self.workloads}
