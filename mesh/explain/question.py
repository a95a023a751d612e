"""A question as somebody asks it, by names, made into a connection and a request. Source of both is a Scene."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from mesh.compile.virtualhost import domains
from mesh.envoy.address import LOOPBACK
from mesh.explain.nearest import Unknown, unknown
from mesh.explain.scene import Scene
from mesh.model.mesh import Mesh
from mesh.model.service import Kind, Port, Service, Workload
from mesh.simulate.request import Connection, Request

_NOWHERE = ""
_GRPC = "application/grpc"


@dataclass(frozen=True)
class Question:
    """``source`` is a workload; ``to`` HOST or HOST:PORT. ``method`` is gRPC's, ``/package.Service/Method`` or a name that is
    clear; else ``path`` is asked for by ``verb``. Neither: bytes that are no HTTP. Of workloads with one name ``home`` is the namespace of
    the one that is meant."""

    source: str
    to: str
    method: str = ""
    path: str = ""
    verb: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Any] | None = None
    home: str = ""


@dataclass(frozen=True)
class Asked:
    """A Question with everything found. ``service`` is None for a host that only a gateway, or nobody, knows; ``note`` is a doubt."""

    workload: Workload
    host: str
    port: int
    service: Service | None
    connection: Connection
    request: Request | None
    note: str = ""


def asked(question: Question, scene: Scene) -> Asked:
    """Raises Unknown."""
    caller = workload(scene.mesh, question.source, question.home)
    host, colon, number = question.to.rpartition(":")
    if not colon or not number.isdigit():
        host, number = question.to, ""
    if not host:
        raise Unknown(f"{question.to!r} is not HOST:PORT")
    if caller.kind is Kind.ROUTER:
        return _at_gateway(question, scene, caller, host, number)
    service = _service(scene.mesh, caller, host)
    port = _port(service, number) if service else _number(scene.mesh, host, number)
    connection = _connection(scene, caller, service, port)
    request = _request(question, scene.mesh, f"{host}:{port}", service, port)
    return Asked(caller, host, port, service, connection, request, _doubt(question, scene.mesh))


def workload(mesh: Mesh, name: str, home: str = "") -> Workload:
    """By the name of its Deployment, its pod or its app; NAMESPACE/NAME where that is not clear, unless one is at ``home``. Raises Unknown."""
    namespace, slash, short = name.rpartition("/")
    among = [w for w in mesh.workloads if not slash or w.namespace == namespace]
    found = [w for w in among if short in (w.owner, w.name)]
    found = found or [w for w in among if w.labels.get("app") == short]
    if not found:
        raise unknown("workload", name, (w.owner for w in mesh.workloads))
    found = [w for w in found if w.namespace == home] or found
    if len({w.namespace for w in found}) > 1:
        where = ", ".join(sorted({f"{w.namespace}/{short}" for w in found}))
        raise Unknown(f"there are several workloads {name}: {where}")
    return next((w for w in found if w.ready), found[0])


def methods(mesh: Mesh) -> list[str]:
    """Every path that a policy or a route names in full."""
    policies = (o.operation for p in mesh.authorization_policies for r in p.spec.rules for o in r.to)
    found = [path for operation in policies for path in operation.paths]
    matches = (match for v in mesh.virtual_services for http in v.spec.http for match in http.match)
    found += [match.uri.exact for match in matches if match.uri and match.uri.exact]
    return sorted({path for path in found if path.count("/") == 2 and "*" not in path})


def _service(mesh: Mesh, caller: Workload, host: str) -> Service | None:
    named = ((service, domains(service, caller.namespace)) for service in mesh.services)
    return next((service for service, names in named if host.lower() in names), None)


def _port(service: Service, number: str) -> int:
    if not number and len(service.ports) == 1:
        return service.ports[0].number
    known = ", ".join(f"{port.number} ({port.name})" for port in service.ports)
    if not number:
        raise Unknown(f"{service.hostname} has several ports, say which: {known}")
    if int(number) not in {port.number for port in service.ports}:
        raise Unknown(f"{service.hostname} has no port {number}; it has: {known}")
    return int(number)


def _number(mesh: Mesh, host: str, number: str) -> int:
    known = {host for v in mesh.virtual_services for host in v.spec.hosts}
    if host not in known and "." not in host:
        raise unknown("host", host, (service.name for service in mesh.services))
    if not number:
        raise Unknown(f"{host} is no Service, so that its port is not known: say {host}:PORT")
    return int(number)


def _connection(scene: Scene, caller: Workload, service: Service | None, port: int) -> Connection:
    address = next(iter(service.addresses), _NOWHERE) if service else _NOWHERE
    if service and scene.placement.local:
        placed = scene.placement.outbound.get((caller.key, service.hostname, port))
        address, port = LOOPBACK, placed or 0
    elif service and not address:
        address = next((e.address for e in service.endpoints), _NOWHERE)
    return Connection(address, port, caller.pod_address)


def _request(
    question: Question, mesh: Mesh, authority: str, service: Service | None, port: int
) -> Request | None:
    if not question.method and not question.path:
        found = next((p for p in service.ports if p.number == port), None) if service else None
        if found is None or found.protocol.is_http:
            raise Unknown("say which --method /package.Service/Method or which --path is called")
        return None
    if question.path:
        path = question.path if question.path.startswith("/") else f"/{question.path}"
        return Request(
            authority, path, question.verb, headers=question.headers, http2=False, claims=question.claims
        )
    headers = {"content-type": _GRPC, "te": "trailers", **question.headers}
    return Request(
        authority, _method(question.method, mesh, service), headers=headers, claims=question.claims
    )


def _method(given: str, mesh: Mesh, service: Service | None) -> str:
    if "/" in given:
        return f"/{given.lstrip('/')}"
    found = [path for path in methods(mesh) if path.rpartition("/")[2] == given]
    if len(found) == 1:
        return found[0]
    if found:
        raise Unknown(f"there are several methods {given}: {', '.join(found)}")
    error = unknown("method", given, (path.rpartition("/")[2] for path in methods(mesh)))
    raise Unknown(
        f"{error} (a method that no route and no policy names is asked for in full, as /package.Service/{given})"
    )


def _doubt(question: Question, mesh: Mesh) -> str:
    """Whether a method in full is perhaps one that is named otherwise."""
    given, known = f"/{question.method.lstrip('/')}", methods(mesh)
    if "/" not in question.method or given in known:
        return ""
    near = get_close_matches(given, known, 1, cutoff=0.9)
    return f"no route and no policy names {given}" + (f"; did you mean {near[0]}?" if near else "")


def _at_gateway(question: Question, scene: Scene, gateway: Workload, host: str, number: str) -> Asked:
    """An outside caller's request, as it comes to a gateway."""
    ports = dict(_gateway_ports(scene, gateway))
    if not ports:
        raise Unknown(f"{gateway.owner} is a gateway that listens nowhere")
    port = int(number) if number else next(iter(ports))
    if port not in ports:
        known = ", ".join(map(str, ports))
        raise Unknown(f"the gateway {gateway.owner} does not listen on port {port}; it does on: {known}")
    request = _request(question, scene.mesh, host if port in (80, 443) else f"{host}:{port}", None, port)
    tls = _speaks_tls(scene, gateway, ports[port])
    alpn = ("h2", "http/1.1") if tls else ()
    address = LOOPBACK if scene.placement.local else gateway.pod_address
    connection = Connection(address, ports[port], tls=tls, sni=host if tls else "", alpn=alpn)
    return Asked(gateway, host, port, None, connection, request, _doubt(question, scene.mesh))


def _gateway_ports(scene: Scene, gateway: Workload) -> Iterator[tuple[int, int]]:
    """(the port that callers know, the one that the proxy listens on)."""
    listening = {listener.address.socket_address.port_value for listener in _listeners(scene, gateway)}
    placed = {number: at for (key, number), at in scene.placement.gateway.items() if key == gateway.key}
    for service in scene.mesh.services:
        mine = any(
            each.workload is not None and each.workload.key == gateway.key for each in service.endpoints
        )
        for port in service.ports if mine else ():
            target = _target(gateway, port)
            at = placed.get(target, target)
            if at in listening:
                yield port.number, at
    yield from ((at, at) for at in sorted(listening) if at not in placed.values())


def _target(gateway: Workload, port: Port) -> int:
    return gateway.serving(port) or port.number


def _speaks_tls(scene: Scene, gateway: Workload, port: int) -> bool:
    found = (each for each in _listeners(scene, gateway) if each.address.socket_address.port_value == port)
    return any(chain.HasField("transport_socket") for each in found for chain in each.filter_chains)


def _listeners(scene: Scene, workload: Workload) -> list[Any]:
    return list(scene.proxy(workload).resources.listeners.values())
