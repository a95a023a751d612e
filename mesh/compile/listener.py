"""Filter chains and the listeners that hold them: matches, inspectors, the chain that takes the rest.

Source: istiod's buildListenerFromEntry and populateListenerFilters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import ip_network
from typing import Any, Final

from envoy.config.core.v3.address_pb2 import Address
from envoy.config.core.v3.base_pb2 import Metadata, TrafficDirection, TransportSocket
from envoy.config.listener.v3.listener_components_pb2 import (
    Filter,
    FilterChain,
    FilterChainMatch,
    ListenerFilter,
    ListenerFilterChainMatchPredicate,
)
from envoy.config.listener.v3.listener_pb2 import Listener

from mesh.envoy import filters
from mesh.envoy.address import ANY, cidr
from mesh.resources.istio.meshconfig import MeshConfig

HTTP_ALPN: Final = ("http/1.1", "h2c")
_CONNECT: Final = timedelta(seconds=15)


@dataclass(frozen=True, eq=False)
class Chain:
    """Filters, and which connections they are for; no match at all means every one."""

    filters: tuple[Filter, ...]
    transport: str = ""
    alpn: tuple[str, ...] = ()
    sni: tuple[str, ...] = ()
    cidrs: tuple[str, ...] = ()
    metadata: Metadata | None = None
    socket: TransportSocket | None = None

    @property
    def matches_all(self) -> bool:
        named = self.sni and "*" not in self.sni
        return not (named or self.transport or self.alpn or self.cidrs)

    @property
    def condition(self) -> tuple[str, tuple[str, ...], frozenset[str], frozenset[str]]:
        """What two chains of one listener may not both ask for."""
        names = frozenset(name for name in self.sni if name != "*")
        return self.transport, self.alpn, names, frozenset(_blocks(self.cidrs))


def outbound(
    name: str,
    address: Address,
    chains: Sequence[Chain],
    config: MeshConfig,
    rest: Chain | None = None,
) -> Listener:
    """A listener for the application's traffic; ``rest`` takes what none of the chains matches."""
    sniffs = any(chain.alpn for chain in chains)
    made = Listener(
        name=name,
        address=address,
        traffic_direction=TrafficDirection.OUTBOUND,
        continue_on_listener_filters_timeout=True,
        listener_filters_timeout=config.protocol_detection_timeout if sniffs else timedelta(0),
    )
    if any(chain.sni for chain in chains):
        made.listener_filters.append(filters.TLS_INSPECTOR)
    if sniffs:
        made.listener_filters.append(filters.HTTP_INSPECTOR)
    for chain in chains:
        if chain.matches_all:
            made.default_filter_chain.CopyFrom(filter_chain(chain))
        else:
            made.filter_chains.append(filter_chain(chain))
    _settle_default(made, rest)
    return made


def _settle_default(made: Listener, rest: Chain | None) -> None:
    if made.HasField("default_filter_chain"):
        if not made.filter_chains:
            made.filter_chains.append(made.default_filter_chain)
            made.ClearField("default_filter_chain")
    elif rest is not None:
        chain = FilterChain(name="PassthroughFilterChain", filters=rest.filters, filter_chain_match={})
        made.default_filter_chain.CopyFrom(chain)


def filter_chain(chain: Chain) -> FilterChain:
    made = FilterChain(
        filters=chain.filters,
        transport_socket_connect_timeout=_CONNECT,
        metadata=chain.metadata,
        transport_socket=chain.socket,
    )
    if not chain.matches_all:
        match = FilterChainMatch(
            transport_protocol=chain.transport,
            application_protocols=chain.alpn,
            server_names=() if "*" in chain.sni else sorted(chain.sni),
            prefix_ranges=[cidr(block) for block in sorted(chain.cidrs) if not block.startswith(ANY)],
        )
        made.filter_chain_match.CopyFrom(match)
    return made


def _blocks(cidrs: Iterable[str]) -> Iterator[str]:
    """Each block without the bits that its mask hides; what is every address is none."""
    for each in cidrs:
        if not each.startswith(ANY):
            yield str(ip_network(each, strict=False))


def inbound_chain(
    name: str,
    network: Sequence[Filter],
    match: Mapping[str, Any],
    socket: TransportSocket | None,
    metadata: Metadata | None = None,
) -> FilterChain:
    return FilterChain(
        name=name, filters=network, filter_chain_match=match, transport_socket=socket, metadata=metadata
    )


def inspectors(chains: Iterable[FilterChain]) -> list[ListenerFilter]:
    """What has to look at a connection before a chain can be chosen, and on which ports it does not."""
    tls: dict[int, bool] = {}
    http: dict[int, bool] = {}
    for chain in chains:
        match = chain.filter_chain_match
        port = match.destination_port.value
        tls[port] = tls.get(port, False) or match.transport_protocol == "tls"
        http[port] = http.get(port, False) or bool(set(match.application_protocols) & set(HTTP_ALPN))
    found = []
    if any(tls.values()):
        found.append(_limited(filters.TLS_INSPECTOR, *_tls_ports(tls)))
    if any(http.values()):
        found.append(_limited(filters.HTTP_INSPECTOR, [p for p, needed in http.items() if not needed], False))
    return found


def _tls_ports(needed: Mapping[int, bool]) -> tuple[list[int], bool]:
    """Ports to leave out; or, when ports that are not named do not need it, the only ones to look at."""
    if needed.get(0, False):
        return [port for port, wanted in needed.items() if port and not wanted], False
    return [port for port, wanted in needed.items() if port and wanted], True


def _limited(found: ListenerFilter, ports: list[int], only: bool) -> ListenerFilter:
    if not ports:
        return found
    ranges = [{"destination_port_range": {"start": port, "end": port + 1}} for port in sorted(ports)]
    rule = ListenerFilterChainMatchPredicate(
        **(ranges[0] if len(ranges) == 1 else {"or_match": {"rules": ranges}})
    )
    limited = ListenerFilter()
    limited.CopyFrom(found)
    if only:
        limited.filter_disabled.not_match.CopyFrom(rule)
    else:
        limited.filter_disabled.CopyFrom(rule)
    return limited
