"""Gateways: the servers that a router listens with, merged from every Gateway that selects it.

Source: pilot/pkg/model/gateway.go, mergeGateways. What a server's listener is made of is in ``gateway_listener``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from mesh.compile import ports
from mesh.compile.served import Served
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Port, Protocol, Service, Workload
from mesh.resources.istio.network import GatewayServer, GatewaySpec, ServerTLS, ServerTLSMode

_PASSING = (ServerTLSMode.PASSTHROUGH, ServerTLSMode.AUTO_PASSTHROUGH)
_UNTRANSLATED = "experimental.istio.io/disable-gateway-port-translation"


@dataclass(frozen=True, eq=False)
class Server:
    """One server of one Gateway; ``gateway`` is ``namespace/name``, ``hosts`` may be prefixed by a namespace."""

    gateway: str
    number: int
    protocol: Protocol
    hosts: tuple[str, ...]
    routes: str
    bind: str = ""
    name: str = ""
    tls: ServerTLS | None = None

    @property
    def passes_through(self) -> bool:
        return self.tls is not None and self.tls.mode in _PASSING

    @property
    def reads_http(self) -> bool:
        return self.protocol.is_http or (self.protocol is Protocol.HTTPS and not self.passes_through)

    @property
    def speaks_tls(self) -> bool:
        """Whether it shares its port with others by server name; plain HTTP that only redirects does not."""
        return self.tls is not None and not self.protocol.is_http

    @property
    def server_names(self) -> tuple[str, ...]:
        return tuple(sorted({host.rpartition("/")[2] for host in self.hosts})) if self.tls else ()


@dataclass(frozen=True)
class Place:
    """Where servers listen: ``port`` is the pod's, behind the Service's. The protocol is as written."""

    port: int
    protocol: str
    bind: str


@dataclass
class Socket:
    """What is listened for at a place; ``routes`` is empty where each server has its own, or none."""

    place: Place
    servers: list[Server]
    routes: str = ""


@dataclass
class Merged:
    """All sockets in the order in which Gateways open them, and the servers of each route configuration."""

    sockets: dict[Place, Socket] = field(default_factory=dict)
    by_routes: dict[str, list[Server]] = field(default_factory=dict)
    _plain: dict[int, Place] = field(default_factory=dict)
    _open: set[int] = field(default_factory=set)
    _names: dict[int, dict[str, str]] = field(default_factory=dict)

    @property
    def hands_on(self) -> bool:
        """Whether a server passes mutual TLS on to services by its name."""
        servers = (server for socket in self.sockets.values() for server in socket.servers)
        return any(
            each.tls is not None and each.tls.mode is ServerTLSMode.AUTO_PASSTHROUGH for each in servers
        )

    @property
    def ports(self) -> list[int]:
        return list(dict.fromkeys(place.port for place in self.sockets))

    def add(self, server: Server, place: Place) -> None:
        """A server that its port has no room for is left out."""
        if server.tls is not None and self._name_taken(server, place):
            return
        if place.port not in self._open:
            self._open.add(place.port)
            self._first(server, place)
        elif place.port in self._plain:
            self._beside_plain(server, place, self._plain[place.port])
        else:
            self._beside_tls(server, place)

    def _name_taken(self, server: Server, place: Place) -> bool:
        known = self._names.setdefault(place.port, {})
        if any(known.get(host) == server.bind for host in server.hosts):
            return True
        known.update(dict.fromkeys(server.hosts, server.bind))
        return False

    def _first(self, server: Server, place: Place) -> None:
        if not server.speaks_tls:
            self._plain[place.port] = place
        if server.reads_http:
            self.by_routes[server.routes] = [server]
        self.sockets[place] = Socket(place, [server], server.routes)

    def _beside_plain(self, server: Server, place: Place, current: Place) -> None:
        if current.bind == place.bind:
            both_http = ports.parse(current.protocol).is_http and server.protocol.is_http
            if both_http and server.routes:
                self.sockets[current].servers.append(server)
                self.by_routes.setdefault(server.routes, []).append(server)
        elif place not in self.sockets:
            self._first(server, place)
        else:
            self.sockets[place].routes = server.routes
            self.sockets[place].servers.append(server)
            self.by_routes.setdefault(server.routes, []).append(server)

    def _beside_tls(self, server: Server, place: Place) -> None:
        if not server.speaks_tls:
            self._first(server, place)
            return
        if server.reads_http:
            if not server.routes or server.routes in self.by_routes:
                return
            self.by_routes[server.routes] = [server]
        self.sockets.setdefault(place, Socket(place, [])).servers.append(server)


def merged(mesh: Mesh, workload: Workload, served: Iterable[Served]) -> Merged:
    """Every Gateway's servers, by creation."""
    found = Merged()
    targets = list(_targets(served))
    for gateway in mesh.gateways:
        if _selects(gateway.spec, workload):
            for server in gateway.spec.servers:
                port = _translated(server.port.number, targets)
                place = Place(port, server.port.protocol, server.bind)
                found.add(_server(gateway, server, port), place)
    return found


def _targets(served: Iterable[Served]) -> Iterator[tuple[Service, Port, int]]:
    """The router's own services' ports, in istiod's order."""
    found = [(service, port, each.number) for each in served for service, port in each.targets]
    for service, port, number in sorted(found, key=lambda each: (each[0].creation, each[0].hostname)):
        if _UNTRANSLATED not in service.labels:
            yield service, port, number


def _translated(number: int, targets: Iterable[tuple[Service, Port, int]]) -> int:
    """A Service's port is where callers knock; the pod listens on what is behind it."""
    return next((own for _, port, own in targets if port.number == number), number)


def _selects(spec: GatewaySpec, workload: Workload) -> bool:
    return all(workload.labels.get(key) == value for key, value in spec.selector.items())


def _server(gateway: Config[GatewaySpec], server: GatewayServer, port: int) -> Server:
    protocol = ports.parse(server.port.protocol)
    passes = server.tls is not None and server.tls.mode in _PASSING
    return Server(
        gateway=f"{gateway.namespace}/{gateway.name}",
        number=server.port.number,
        protocol=protocol,
        hosts=tuple(_hosts(server.hosts, gateway.namespace)),
        routes=_routes(gateway, server, port, protocol, passes),
        bind=server.bind,
        name=server.name,
        tls=server.tls,
    )


def _routes(
    gateway: Config[GatewaySpec], server: GatewayServer, port: int, protocol: Protocol, passes: bool
) -> str:
    """The route configuration's name: HTTP's is the port's, TLS's the server's own."""
    bind = f".{server.bind}" if server.bind else ""
    if protocol.is_http:
        return f"http.{port}{bind}"
    if protocol is Protocol.HTTPS and not passes:
        given = server.port
        return f"https.{given.number}.{given.name}.{gateway.name}.{gateway.namespace}{bind}"
    return ""


def _hosts(hosts: tuple[str, ...], namespace: str) -> Iterator[str]:
    """``.`` before a host is the Gateway's own namespace, ``*`` any."""
    if "*/*" in hosts:
        yield "*"
        return
    for host in hosts:
        owner, slash, name = host.partition("/")
        if not slash or owner not in (".", "*"):
            yield host
        else:
            yield f"{namespace}/{name}" if owner == "." else name
