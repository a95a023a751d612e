"""Services, the workloads behind them and the endpoints that answer. Made by link; read by compile and local."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mesh.model.identity import Identity
from mesh.resources.problem import Place


class Protocol(StrEnum):
    """What a port speaks, by appProtocol, else by the port's name prefix, else TCP or by sniffing (UNSUPPORTED means sniff)."""

    GRPC = "GRPC"
    GRPC_WEB = "GRPC-Web"
    HTTP = "HTTP"
    HTTP2 = "HTTP2"
    HTTP_PROXY = "HTTP_PROXY"
    HTTPS = "HTTPS"
    TCP = "TCP"
    TLS = "TLS"
    UDP = "UDP"
    MONGO = "Mongo"
    MYSQL = "MySQL"
    REDIS = "Redis"
    UNSUPPORTED = "UnsupportedProtocol"

    @property
    def is_http2(self) -> bool:
        return self in (Protocol.GRPC, Protocol.GRPC_WEB, Protocol.HTTP2)

    @property
    def is_http(self) -> bool:
        return self.is_http2 or self in (Protocol.HTTP, Protocol.HTTP_PROXY)


class Resolution(StrEnum):
    """How a service's endpoints are learnt. ClientSideLB is an ordinary Kubernetes Service (EDS)."""

    CLIENT_SIDE_LB = "ClientSideLB"
    DNS = "DNSLB"
    DNS_ROUND_ROBIN = "DNSRoundRobinLB"
    PASSTHROUGH = "Passthrough"
    ALIAS = "Alias"


class Kind(StrEnum):
    """What a proxy is: beside an application, or a gateway of its own."""

    SIDECAR = "sidecar"
    ROUTER = "router"


@dataclass(frozen=True)
class Port:
    """A port of a service. ``target`` is the number on the workload, or the name of a container's port; ``transport`` as written."""

    number: int
    name: str
    protocol: Protocol
    target: int | str
    transport: str = ""


@dataclass(frozen=True)
class ContainerPort:
    """A port that a container names. ``transport`` is TCP or UDP as written, empty where nothing is."""

    name: str
    number: int
    transport: str = ""


@dataclass(frozen=True)
class Workload:
    """A pod with a proxy: where it runs, who it is and what it serves.

    ``name`` is the pod's, ``owner`` that of the Deployment it came from.
    ``pod_address`` is the address on the cluster's network, unique in the mesh on both engines (the local one is never dialled).
    """

    name: str
    namespace: str
    owner: str
    identity: Identity
    pod_address: str
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    container_ports: tuple[ContainerPort, ...] = ()
    kind: Kind = Kind.SIDECAR
    in_mesh: bool = True
    ready: bool = True
    locality: str = ""
    creation: str = ""
    place: Place = field(default=Place(), compare=False)

    @property
    def key(self) -> tuple[str, str]:
        return (self.namespace, self.name)

    def serving(self, port: Port) -> int | None:
        """The number here of a Service's port; None when it is for a container's port that is not here."""
        if not isinstance(port.target, str):
            return port.target
        wanted = (port.target, port.transport)
        return next((c.number for c in self.container_ports if (c.name, c.transport) == wanted), None)

    @property
    def proxy_id(self) -> str:
        """The node id that istiod and Envoy use: ``sidecar~ADDRESS~POD.NAMESPACE~NAMESPACE.svc.cluster.local``."""
        return (
            f"{self.kind}~{self.pod_address}~{self.name}.{self.namespace}~{self.namespace}.svc.cluster.local"
        )


#: The ``entry`` of an address that an EndpointSlice lists: nobody's name is known.
NAMELESS = ("", "")


@dataclass(frozen=True)
class Endpoint:
    """One address that serves one port of a service. ``workload`` is None for an address outside the mesh, of which ``entry`` is the
    namespace and name of the object that says it."""

    address: str
    port: int
    service_port: str
    labels: Mapping[str, str] = field(default_factory=dict)
    workload: Workload | None = None
    tls: bool = True
    ready: bool = True
    weight: int = 1
    locality: str = ""
    identity: Identity | None = None
    entry: tuple[str, str] | None = None


@dataclass(frozen=True)
class Service:
    """A host that can be called. ``hostname`` is fully qualified; ``addresses`` are its virtual IPs (none when headless).

    ``external`` says that it is outside the mesh, ``entry`` that a ServiceEntry made it. ``export_to`` is empty where nothing is said.
    ``alternative_names`` are names of its certificates beside those of its ``service_accounts``.
    """

    hostname: str
    name: str
    namespace: str
    ports: tuple[Port, ...]
    addresses: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    selector: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    resolution: Resolution = Resolution.CLIENT_SIDE_LB
    external: bool = False
    entry: bool = False
    export_to: tuple[str, ...] = ()
    service_accounts: tuple[Identity, ...] = ()
    alternative_names: tuple[str, ...] = ()
    creation: str = ""
    place: Place = field(default=Place(), compare=False)

    @property
    def keeps_address(self) -> bool:
        """Whether a ServiceEntry leaves it to the caller which address is called."""
        return self.entry and self.resolution is Resolution.PASSTHROUGH
