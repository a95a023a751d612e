"""Which listener takes a connection, and which of its filter chains.

Source: Envoy's "FilterChainMatch": the most specific value of each criterion in turn, with no way back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any, Final

from envoy.config.core.v3.base_pb2 import TrafficDirection

from mesh.envoy.address import ANY
from mesh.simulate.request import Connection

_TLS: Final = "envoy.filters.listener.tls_inspector"
_HTTP: Final = "envoy.filters.listener.http_inspector"


def outgoing(listeners: Iterable[Any], connection: Connection) -> Any | None:
    """The listener for what an application, or a client of a gateway, dials: its address, then its port, then the one for all."""
    found = [each for each in listeners if each.traffic_direction != TrafficDirection.INBOUND]
    by_address = [each for each in found if (connection.address, connection.port) in _addresses(each)]
    by_port = [each for each in found if (ANY, connection.port) in _addresses(each)]
    rest = [each for each in found if each.use_original_dst.value]
    return next(iter([*by_address, *by_port, *rest]), None)


def incoming(listeners: Iterable[Any], connection: Connection) -> Any | None:
    """The listener for what arrives at a pod: one bound to the port, else the one that captures."""
    found = [each for each in listeners if each.traffic_direction == TrafficDirection.INBOUND]
    bound = [each for each in found if connection.port in {port for _, port in _addresses(each)}]
    capturing = [each for each in found if each.name == "virtualInbound"]
    return next(iter([*bound, *capturing]), None)


def _addresses(listener: Any) -> set[tuple[str, int]]:
    more = [each.address for each in listener.additional_addresses]
    return {(a.socket_address.address, a.socket_address.port_value) for a in [listener.address, *more]}


def chosen(listener: Any, connection: Connection) -> Any | None:
    """The filter chain; None when the connection is closed."""
    seen = _inspected(listener, connection)
    chains = list(listener.filter_chains)
    for narrow in (_by_port, _by_address, _by_name, _by_transport, _by_alpn):
        chains = narrow(chains, seen)
    if chains:
        return chains[0]
    return listener.default_filter_chain if listener.HasField("default_filter_chain") else None


def _inspected(listener: Any, connection: Connection) -> Connection:
    """The connection as far as the listener looks into it."""
    inspectors = {each.name for each in listener.listener_filters}
    if connection.tls:
        return connection if _TLS in inspectors else replace(connection, tls=False, alpn=(), sni="")
    return connection if _HTTP in inspectors else replace(connection, alpn=())


def _by_port(chains: list[Any], seen: Connection) -> list[Any]:
    return _first(chains, [seen.port], lambda match: [match.destination_port.value])


def _by_address(chains: list[Any], seen: Connection) -> list[Any]:
    longest = max((_length(chain, seen.address) for chain in chains), default=0)
    return [chain for chain in chains if _length(chain, seen.address) == longest >= 0]


def _length(chain: Any, address: str) -> int:
    """How many bits of the address a chain asks for; 0 when it takes any, -1 when it wants another."""
    ranges = chain.filter_chain_match.prefix_ranges
    if not ranges:
        return 0
    networks = [ip_network(f"{r.address_prefix}/{r.prefix_len.value}", strict=False) for r in ranges]
    return max((n.prefixlen + 1 for n in networks if ip_address(address) in n), default=-1)


def _by_name(chains: list[Any], seen: Connection) -> list[Any]:
    labels = seen.sni.lower().split(".") if seen.sni else []
    wildcards = [f"*.{'.'.join(labels[i:])}" for i in range(1, len(labels))]
    return _first(chains, [seen.sni.lower(), *wildcards], lambda match: match.server_names)


def _by_transport(chains: list[Any], seen: Connection) -> list[Any]:
    wanted = "tls" if seen.tls else "raw_buffer"
    return _first(chains, [wanted], lambda match: [match.transport_protocol])


def _by_alpn(chains: list[Any], seen: Connection) -> list[Any]:
    return _first(chains, seen.alpn, lambda match: match.application_protocols)


def _first(chains: list[Any], wanted: Sequence[Any], given: Callable[[Any], Iterable[Any]]) -> list[Any]:
    """The chains that ask for the first value that any asks for, else those that ask for none."""
    for value in wanted:
        found = [chain for chain in chains if value and value in given(chain.filter_chain_match)]
        if found:
            return found
    return [chain for chain in chains if not any(given(chain.filter_chain_match))]
