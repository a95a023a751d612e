"""One proxy: a connection to its listener, through a filter chain, to clusters or to an answer of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.filters.network.rbac.v3.rbac_pb2 import RBAC
from envoy.extensions.filters.network.tcp_proxy.v3.tcp_proxy_pb2 import TcpProxy
from envoy.extensions.transport_sockets.tls.v3.tls_pb2 import DownstreamTlsContext

from mesh.envoy import names
from mesh.envoy.snapshot import Snapshot
from mesh.simulate import chain, cluster, http, rbac, text
from mesh.simulate.request import Connection, Request
from mesh.simulate.trace import Check, Outcome, Pass, Share


def outbound(resources: Snapshot, connection: Connection, request: Request | None) -> Pass:
    """Through the caller's proxy, or a gateway. Without a request the connection carries bytes that are no HTTP."""
    return _through(chain.outgoing(resources.listeners.values(), connection), resources, connection, request)


def inbound(resources: Snapshot, connection: Connection, request: Request | None) -> Pass:
    """Through the proxy of the workload that is called."""
    return _through(chain.incoming(resources.listeners.values(), connection), resources, connection, request)


def _through(listener: Any, resources: Snapshot, connection: Connection, request: Request | None) -> Pass:
    if listener is None:
        return _closed(Pass(), f"nothing listens on port {connection.port}")
    made = Pass(listener=listener.name)
    found = chain.chosen(listener, connection)
    if found is None:
        kind = "TLS" if connection.tls else "plaintext"
        return _closed(made, f"no filter chain takes {kind} on port {connection.port}")
    context = _tls(found)
    wanted = context is not None and context.require_client_certificate.value
    made = replace(made, chain=found.name, mutual=wanted)
    if wrong := _handshake(context, connection):
        return _closed(made, wrong)
    return _filtered(found, resources, connection, request, made)


def _tls(found: Any) -> Any | None:
    if not found.transport_socket.typed_config.Is(DownstreamTlsContext.DESCRIPTOR):
        return None
    context = DownstreamTlsContext()
    found.transport_socket.typed_config.Unpack(context)
    return context


def _handshake(context: Any | None, connection: Connection) -> str:
    """Why there is no connection; empty when there is one."""
    if context is None:
        return ""
    if not connection.tls:
        return "plaintext where TLS is asked for"
    if not context.require_client_certificate.value:
        return ""
    if not connection.principal:
        return "mutual TLS is asked for, and the caller has no certificate"
    combined = context.common_tls_context.combined_validation_context.default_validation_context
    trusted = combined.match_subject_alt_names
    if trusted and not any(text.matches(each, connection.principal) for each in trusted):
        return f"{connection.principal} is not of a trust domain that is trusted here"
    return ""


def _filtered(
    found: Any, resources: Snapshot, connection: Connection, request: Request | None, made: Pass
) -> Pass:
    checks: list[Check] = []
    for each in found.filters:
        config = each.typed_config
        if config.Is(RBAC.DESCRIPTOR):
            checks += _network_checks(config, connection)
            if not checks[-1].passed and not checks[-1].trial:
                refused = replace(made, http=False, checks=tuple(checks))
                return replace(refused, outcome=Outcome.REFUSED, reason="the connection is closed")
        elif config.Is(HttpConnectionManager.DESCRIPTOR):
            manager = HttpConnectionManager()
            config.Unpack(manager)
            if request is None:
                return _closed(made, "bytes that are no HTTP, where HTTP is read")
            return http.through(manager, resources, connection, request, made)
        elif config.Is(TcpProxy.DESCRIPTOR):
            proxy = TcpProxy()
            config.Unpack(proxy)
            return _carried(proxy, resources, request, replace(made, http=False, checks=tuple(checks)))
    return _closed(made, "the filter chain leads nowhere")


def _network_checks(config: Any, connection: Connection) -> Iterator[Check]:
    given = RBAC()
    config.Unpack(given)
    seen = rbac.Seen(connection, None, connection.source)
    if given.HasField("shadow_rules"):
        yield rbac.check(given.shadow_rules, seen, trial=True)
    if given.HasField("rules"):
        yield rbac.check(given.rules, seen)


def _carried(proxy: Any, resources: Snapshot, request: Request | None, made: Pass) -> Pass:
    """What is HTTP to the two ends is carried as it is, and may be read as HTTP by the next proxy."""
    weights = [(each.weight, each.name) for each in proxy.weighted_clusters.clusters] or [(1, proxy.cluster)]
    total = sum(weight for weight, _ in weights) or 1
    shares = tuple(
        Share(weight / total, name, cluster.found(resources, name), request)
        for weight, name in weights
        if weight
    )
    if all(share.name == names.BLACK_HOLE for share in shares):
        return _closed(made, "the proxy knows no such destination and lets nothing else out")
    return replace(made, shares=shares)


def _closed(made: Pass, why: str) -> Pass:
    return replace(made, outcome=Outcome.UNREACHABLE, reason=why)
