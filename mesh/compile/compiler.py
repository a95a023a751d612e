"""(Mesh, Placement) -> the Snapshot of each proxy.

One Compiler works from one immutable Mesh. What several proxies would get alike is compiled once and shared: clusters
and endpoints by service and DestinationRule, routes and listeners by what they depend on. The messages of a Snapshot are
therefore never changed after they are made. Used by local and by `mesh xds`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from envoy.config.cluster.v3.cluster_pb2 import Cluster
from envoy.config.endpoint.v3.endpoint_pb2 import ClusterLoadAssignment
from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.config.route.v3.route_components_pb2 import VirtualHost
from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile import (
    dns,
    gateway_listener,
    gateway_routes,
    inbound,
    inbound_cluster,
    local,
    outbound,
    patch_listener,
    routeconfig,
)
from mesh.compile.authz import Authorization, authorization
from mesh.compile.cluster import Target, clusters, subsets
from mesh.compile.endpoint import assignment
from mesh.compile.gateway import Merged, merged
from mesh.compile.inbound import Inbound
from mesh.compile.patch import grouped, patches
from mesh.compile.patched import Patcher, Placed
from mesh.compile.route import caller_labels
from mesh.compile.scope import Scope, Scopes
from mesh.compile.served import Served, served
from mesh.compile.side import Side, side
from mesh.compile.telemetry import Direction
from mesh.compile.virtual import virtual_outbound
from mesh.envoy.address import LOOPBACK, socket_address
from mesh.envoy.rds import route_names
from mesh.envoy.snapshot import Snapshot
from mesh.model.mesh import CLUSTER, Mesh, Placement
from mesh.model.peer import PeerPolicies
from mesh.model.service import Kind, Port, Service, Workload
from mesh.resources.problem import Problem

ValueT = TypeVar("ValueT")


def compile_proxy(
    mesh: Mesh, workload: Workload, placement: Placement = CLUSTER
) -> tuple[Snapshot, list[Problem]]:
    """One proxy on its own. For many of one Mesh make a Compiler, which shares what they have in common."""
    return Compiler(mesh, placement).compile(workload)


class Compiler:
    """Everything compiled from one Mesh, kept as long as the Compiler is."""

    def __init__(
        self,
        mesh: Mesh,
        placement: Placement = CLUSTER,
        scopes: Scopes | None = None,
        memo: Mapping[Hashable, Any] | None = None,
    ) -> None:
        """``scopes`` and ``memo`` are what still holds of an earlier state of the mesh (see ``successor``)."""
        self._mesh = mesh
        self._placement = placement
        self._scopes = scopes or Scopes(mesh)
        self._peers = PeerPolicies(mesh.peer_authentications, mesh.config.root_namespace)
        self._caller_labels = sorted(
            {label for rule in mesh.virtual_services for label in caller_labels(rule)}
        )
        self._headless = frozenset(
            e.address for s in mesh.services if s.entry or not s.addresses for e in s.endpoints
        )
        self._memo: dict[Hashable, Any] = dict(memo or {})

    @property
    def mesh(self) -> Mesh:
        return self._mesh

    @property
    def placement(self) -> Placement:
        return self._placement

    @property
    def scopes(self) -> Scopes:
        return self._scopes

    @property
    def memo(self) -> Mapping[Hashable, Any]:
        """Everything compiled so far, by its kind and what it depends on."""
        return self._memo

    def compile(self, workload: Workload) -> tuple[Snapshot, list[Problem]]:
        """The resources of one proxy of the mesh, and what is wrong with the policies that hold for it."""
        scope = self._scopes.of(workload)
        reached = [self._reached(scope, service) for service in scope.services]
        if self._gateways(workload).hands_on:
            reached += [self._reached(scope, each, True) for each in scope.services if not each.external]
        own, patcher = self._own(workload), self._patcher(workload)
        outbound = [*(c for cs, _ in reached for c in cs), *self._unrouted(workload)]
        clusters = _by_name(patcher.clusters(outbound, self._inbound_clusters(scope, workload)))
        listeners = _by_name(patcher.listeners(self._listeners(scope, workload)))
        snapshot = Snapshot(
            clusters=clusters,
            endpoints={e.cluster_name: e for _, es in reached for e in es if e.cluster_name in clusters},
            listeners=listeners,
            routes=_by_name(self._routes(scope, workload, route_names(listeners.values()))),
        )
        return snapshot, list(own.problems)

    def _once(self, key: Hashable, make: Callable[[], ValueT]) -> ValueT:
        if key not in self._memo:
            self._memo[key] = make()
        found: ValueT = self._memo[key]
        return found

    def _reached(
        self, scope: Scope, service: Service, passed: bool = False
    ) -> tuple[list[Cluster], list[ClusterLoadAssignment]]:
        rule = scope.rule(service.hostname)
        mode = self._peers.namespace_mode(service.namespace)
        target = Target(service, rule, mode, scope.kind, self._placement.local, self._mesh.config, passed)
        numbers = tuple(port.number for port in service.ports)
        key = ("reached", service.hostname, service.namespace, numbers, id(rule), scope.kind, passed)
        return self._once(key, lambda: self._make_reached(target))

    def _make_reached(self, target: Target) -> tuple[list[Cluster], list[ClusterLoadAssignment]]:
        if self._placement.local:
            target = replace(target, service=dns.named(target.service))
        made = {cluster.name: cluster for cluster in clusters(target)}
        learnt: list[ClusterLoadAssignment] = []
        for port in target.service.ports:
            for part in subsets(target):
                name = target.named(port.number, part)
                if (cluster := made.get(name)) is None:
                    continue
                found = self._assigned(target, port, part)
                if cluster.type == Cluster.EDS:
                    learnt.append(found)
                elif dns.resolves(target.service, cluster) and not dns.resolve(
                    cluster, found, target.config, whole=not part, empty=self._placement.local
                ):
                    for each in (part,) if part else subsets(target):
                        made.pop(target.named(port.number, each), None)
        return list(made.values()), learnt

    def _assigned(self, target: Target, port: Port, part: str) -> ClusterLoadAssignment:
        names = dns.is_named(target.service, self._placement.local)
        return assignment(target, port, part, self._peers, self._placement, names)

    def _unrouted(self, workload: Workload) -> Iterator[Cluster]:
        """Where traffic goes that no service explains."""
        yield inbound_cluster.black_hole(self._mesh.config)
        if workload.kind is Kind.SIDECAR and not self._placement.local:
            yield inbound_cluster.passthrough(self._mesh.config)

    def _inbound_clusters(self, scope: Scope, workload: Workload) -> Iterator[tuple[Cluster, list[str]]]:
        """With the hosts of the services that each is for."""
        config = self._mesh.config
        for each in self._served(workload) if workload.kind is Kind.SIDECAR else ():
            placed = self._placement.application.get((workload.key, each.application))
            if placed is not None or not self._placement.local:
                rule = scope.inbound_rules.get(each.service.hostname) if each.service else None
                hosts = [service.hostname for service, _ in each.targets] or [each.hostname]
                yield inbound_cluster.inbound(each, rule, config, placed), hosts
        if workload.kind is Kind.SIDECAR and not self._placement.local:
            yield inbound_cluster.inbound_passthrough(config), []

    def _listeners(self, scope: Scope, workload: Workload) -> Iterator[Placed]:
        """Each with how it is named where traffic is captured."""
        if workload.kind is Kind.ROUTER:
            yield from self._gateway_listeners(scope, workload)
        if self._placement.local:
            yield from self._local_listeners(scope, workload)
        elif workload.kind is Kind.SIDECAR:
            side = self._side(workload, Direction.OUTBOUND)
            key = ("outbound", id(scope), id(side), self._distinguished(workload))
            found = [*self._once(key, lambda: outbound.listeners(scope, side))]
            found += [self._once(("virtual", id(scope), id(side)), lambda: virtual_outbound(scope, side))]
            found += self._once(("inbound", self.alike(workload)), lambda: self._captured(workload))
            yield from ((each, patch_listener.place(each)) for each in found)

    def _captured(self, workload: Workload) -> list[Listener]:
        made, ports = self._inbound(workload), self._served(workload)
        own = [inbound.bound(made, each) for each in ports if each.bound and each.number]
        return [inbound.virtual(made, ports), *own]

    def _local_listeners(self, scope: Scope, workload: Workload) -> Iterator[Placed]:
        side = self._side(workload, Direction.OUTBOUND)
        for egress, service, port, placed in local.upstreams(scope, workload, self._placement):
            made = local.outbound_listener(scope, egress, service, port, placed, side)
            yield made, local.outbound_place(egress, service, port)
        for each in self._served(workload) if workload.kind is Kind.SIDECAR else ():
            placed_inbound = self._placement.inbound.get((workload.key, each.number))
            if placed_inbound is not None:
                yield (
                    local.inbound_listener(self._inbound(workload), each, placed_inbound),
                    local.inbound_place(each),
                )

    def _gateway_listeners(self, scope: Scope, workload: Workload) -> Iterator[Placed]:
        side = self._side(workload, Direction.GATEWAY)
        found = gateway_listener.listeners(
            self._gateways(workload), self._mesh, scope, side, self._own(workload)
        )
        for port, listener in found:
            where = patch_listener.place(listener)
            if self._placement.local:
                placed = self._placement.gateway.get((workload.key, port))
                if placed is None:
                    continue
                listener.address.CopyFrom(socket_address(LOOPBACK, placed))
            yield listener, where

    def _routes(
        self, scope: Scope, workload: Workload, wanted: Iterable[str]
    ) -> Iterator[RouteConfiguration]:
        by_name = self._gateways(workload).by_routes
        patcher = self._patcher(workload)
        for name in wanted:
            if name in by_name:
                made = gateway_routes.for_servers(name, self._mesh, scope, workload, by_name[name])
                yield patcher.routes(made, by_name)
            else:
                key = ("routes", id(scope), self._distinguished(workload), patcher.key, name)
                yield self._once(key, partial(self._sidecar_routes, scope, workload, name))

    def _sidecar_routes(self, scope: Scope, workload: Workload, name: str) -> RouteConfiguration:
        """On one machine each service has its own, made of those that the patches are meant for."""
        hosts = self._hosts(scope, workload, name)
        patched = self._patcher(workload).routes
        if not routeconfig.is_for_service(name):
            return patched(routeconfig.for_port(name, scope, self._mesh.config, hosts))
        if self._placement.local and not local.is_sniffed(scope, name):
            shared = str(routeconfig.listened(name))
            whole = patched(routeconfig.for_port(shared, scope, self._mesh.config, hosts))
            return local.routes(name, whole)
        made = patched(routeconfig.for_service(name, hosts))
        return local.answering_any(made, name) if self._placement.local else made

    def _hosts(self, scope: Scope, workload: Workload, name: str) -> list[VirtualHost]:
        key = ("hosts", id(scope), self._distinguished(workload), routeconfig.listened(name) or name)
        config = self._mesh.config
        return self._once(key, lambda: routeconfig.virtual_hosts(scope, workload, name, config))

    def _distinguished(self, workload: Workload) -> tuple[str | None, ...]:
        """The labels of a caller that some VirtualService asks for."""
        return tuple(workload.labels.get(label) for label in self._caller_labels)

    def _own(self, workload: Workload) -> Authorization:
        placement = self._placement
        key = ("authorization", self.alike(workload), workload.key if placement.local else None)
        return self._once(key, lambda: authorization(self._mesh, workload, placement))

    def _patcher(self, workload: Workload) -> Patcher:
        """Proxies with the same patches share one."""
        found = self._once(("patches", self.alike(workload)), lambda: patches(self._mesh, workload))
        gateway = workload.kind is Kind.ROUTER
        return self._once(("patcher", found, gateway), lambda: Patcher(grouped(found), gateway))

    def _inbound(self, workload: Workload) -> Inbound:
        peer = self._peers.for_workload(workload.namespace, workload.labels)
        side = self._side(workload, Direction.INBOUND)
        return Inbound(side, peer, self._own(workload), self._placement.local)

    def _side(self, workload: Workload, direction: Direction) -> Side:
        key = ("side", direction, self.alike(workload))
        return self._once(key, lambda: side(self._mesh, workload, direction, self._placement))

    def _served(self, workload: Workload) -> tuple[Served, ...]:
        key = ("served", self.alike(workload))
        sidecar = self._scopes.of(workload).sidecar
        return self._once(key, lambda: served(workload, self._mesh.services, sidecar))

    def alike(self, workload: Workload) -> Hashable:
        """What makes two workloads the same to policies and services. A Sidecar's ingress may speak of the pod's address."""
        sidecar = self._scopes.of(workload).sidecar
        headless = workload.pod_address in self._headless
        own = workload.pod_address if headless or (sidecar and sidecar.spec.ingress) else ""
        return workload.namespace, frozenset(workload.labels.items()), workload.container_ports, own

    def _gateways(self, workload: Workload) -> Merged:
        if workload.kind is not Kind.ROUTER:
            return Merged()
        key = ("gateways", self.alike(workload))
        return self._once(key, lambda: merged(self._mesh, workload, self._served(workload)))


def _by_name(messages: Iterable[ValueT]) -> Mapping[str, ValueT]:
    """The first of each name, in their order."""
    found: dict[str, ValueT] = {}
    for message in messages:
        found.setdefault(message.name, message)  # type: ignore[attr-defined]
    return found
