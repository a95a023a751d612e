"""Security policies, Gateways and Sidecars: what is wrong with them.

A policy with an error still stands in the Mesh: compile turns what it cannot translate into a denial, never into nothing.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from typing import Any, Final

from mesh.link.hosts import matches
from mesh.link.names import Names
from mesh.resources.istio.network import GatewaySpec, SidecarSpec
from mesh.resources.istio.security import (
    AuthorizationPolicySpec,
    Operation,
    PeerAuthenticationSpec,
    Rule,
    Source,
)
from mesh.resources.istio.shared import WorkloadSelector
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity
from mesh.resources.tree import Path

CONDITIONS: Final = (
    "request.headers[",
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims[",
    "destination.ip",
    "destination.port",
    "connection.sni",
)


def check_authorization(each: Object[AuthorizationPolicySpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one AuthorizationPolicy."""
    yield from _selector(each, ("spec", "selector"), each.spec.selector, names)
    for i, rule in enumerate(each.spec.rules):
        yield from _rule(each, ("spec", "rules", i), rule)


def _rule(each: Object[Any], path: Path, rule: Rule) -> Iterator[Problem]:
    for i, source in enumerate(rule.from_):
        at = (*path, "from", i, "source")
        if source.source == Source():
            yield each.problem(
                at, "MW0401", "this source is empty", "name a principal or namespace, or leave from out"
            )
        blocks = ("ipBlocks", "notIpBlocks", "remoteIpBlocks", "notRemoteIpBlocks")
        s = source.source
        for field, values in zip(
            blocks, (s.ip_blocks, s.not_ip_blocks, s.remote_ip_blocks, s.not_remote_ip_blocks), strict=True
        ):
            for j, value in enumerate(values):
                yield from _block(each, (*at, field, j), value)
    for i, to in enumerate(rule.to):
        at = (*path, "to", i, "operation")
        if to.operation == Operation():
            yield each.problem(
                at, "MW0401", "this operation is empty", "name a path, method, host or port, or leave to out"
            )
        for field, values in (("ports", to.operation.ports), ("notPorts", to.operation.not_ports)):
            for j, value in enumerate(values):
                if not value.isdigit() or not 0 < int(value) < 65536:
                    yield each.problem(
                        (*at, field, j), "MW0401", f"{value!r} is not a port", "use 1 to 65535"
                    )
    for i, condition in enumerate(rule.when):
        yield from _condition(
            each, (*path, "when", i), condition.key, bool(condition.values or condition.not_values)
        )


def _block(each: Object[Any], path: Path, value: str) -> Iterator[Problem]:
    try:
        ipaddress.ip_network(value, strict=False)
    except ValueError:
        yield each.problem(
            path, "MW0401", f"{value!r} is not an IP address or CIDR block", "as in 10.0.0.0/8"
        )


def _condition(each: Object[Any], path: Path, key: str, has_values: bool) -> Iterator[Problem]:
    if not any(
        key == known or (known.endswith("[") and key.startswith(known) and key.endswith("]"))
        for known in CONDITIONS
    ):
        names = ", ".join(k + "...]" if k.endswith("[") else k for k in CONDITIONS)
        yield each.problem((*path, "key"), "MW0401", f"{key!r} is not a condition", f"use one of: {names}")
    if not has_values:
        yield each.problem(path, "MW0401", "a condition needs values or notValues", "give one")


def check_peer(each: Object[PeerAuthenticationSpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one PeerAuthentication."""
    yield from _selector(each, ("spec", "selector"), each.spec.selector, names)
    for port in each.spec.port_level_mtls:
        path = ("spec", "portLevelMtls", port)
        if not port.isdigit() or not 0 < int(port) < 65536:
            yield each.problem(path, "MW0401", f"{port!r} is not a port", "use the workload's port number")
        elif each.spec.selector is None:
            yield each.problem(
                path, "MW0401", "portLevelMtls needs a selector", "say which workloads have this port"
            )


def check_gateway(each: Object[GatewaySpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one Gateway."""
    if not any(all(w.labels.get(k) == v for k, v in each.spec.selector.items()) for w in names.workloads):
        text = "the selector matches no workload, so that nothing listens for this Gateway"
        yield each.problem(
            ("spec", "selector"), "MW0206", text, "match the labels of the gateway's pods", Severity.WARNING
        )
    for i, server in enumerate(each.spec.servers):
        path = ("spec", "servers", i)
        if server.port.protocol.upper() not in ("HTTP", "HTTP2", "GRPC"):
            text = f"a server of protocol {server.port.protocol or '(none)'} is part of Istio's API, but meshwright does not translate it"
            yield each.problem((*path, "port", "protocol"), "MW0102", text, "use HTTP, HTTP2 or GRPC")
        if not server.hosts:
            yield each.problem((*path, "hosts"), "MW0306", "this server has no hosts", 'give hosts: ["*"]')


def check_sidecar(each: Object[SidecarSpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one Sidecar."""
    yield from _selector(each, ("spec", "workloadSelector"), each.spec.workload_selector, names)
    for i, listener in enumerate(each.spec.egress):
        for j, host in enumerate(listener.hosts):
            path = ("spec", "egress", i, "hosts", j)
            namespace, slash, name = host.partition("/")
            if not slash or not name:
                text = f"{host!r} must be NAMESPACE/HOST, as in ./* or shop/catalog.shop.svc.cluster.local"
                yield each.problem(path, "MW0103", text, "write it so")
            elif (
                namespace not in ("~", "*")
                and "*" not in name
                and not any(matches(known, name) for known in names.hosts)
            ):
                text = f"egress host {name} is not a service of the mesh"
                yield each.problem(path, "MW0201", text, names.closest_host(name), Severity.WARNING)


def _selector(
    each: Object[Any], path: Path, selector: WorkloadSelector | None, names: Names
) -> Iterator[Problem]:
    if selector is None:
        return
    labels = {**selector.match_labels, **selector.labels}
    if labels and not names.selected(each.metadata.namespace, labels):
        text = f"no workload in {each.metadata.namespace} has the labels {', '.join(f'{k}={v}' for k, v in labels.items())}"
        yield each.problem(path, "MW0206", text, "the object has no effect until one does", Severity.WARNING)
