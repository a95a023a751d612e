"""AUTO_PASSTHROUGH: a router that hands mutual TLS between meshes on by its server name, without looking inside.

Source: istiod's builtAutoPassthroughFilterChains and buildOutboundSniDnatClusters.
"""

from __future__ import annotations

from collections.abc import Iterator

from envoy.config.listener.v3.listener_components_pb2 import Filter

from mesh.compile import tcp
from mesh.compile.hosts import subset
from mesh.compile.listener import Chain
from mesh.compile.mtls import ALL_ALPN
from mesh.compile.scope import Scope
from mesh.compile.side import Side
from mesh.envoy import names
from mesh.model.service import Protocol


def passing(
    scope: Scope, side: Side, hosts: tuple[str, ...], security: tuple[Filter, ...]
) -> Iterator[Chain]:
    """A chain for each port and subset of the mesh's services that the server's hosts cover."""
    for service in scope.services:
        covered = any(subset(service.hostname, host) for host in hosts)
        if service.external or not covered:
            continue
        rule = scope.rule(service.hostname)
        for port in service.ports:
            if port.protocol is Protocol.UDP:
                continue
            for part in ("", *(each.name for each in (rule.spec.subsets if rule else ()))):
                name = names.server_name(port.number, part, service.hostname)
                found = tcp.passed(name, part, port.protocol, rule, side)
                yield Chain((*security, *found), alpn=ALL_ALPN, sni=(name,))
