"""Services that share an outbound socket: whose chains stand on it, and how it tells them apart.

Source: the conflicts of istiod's buildSidecarOutboundListener.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from mesh.compile import ports
from mesh.compile.listener import Chain
from mesh.model.service import Protocol

#: Their filters read the first bytes, so that nothing else can share the socket.
_EXACT: Final = (Protocol.MONGO, Protocol.MYSQL)


@dataclass(frozen=True)
class Entry:
    """A socket and what shares it; ``protocol`` is that of the services on it, sniffed when they differ.

    ``bound``: the proxy listens there itself, since nothing is captured for it.
    """

    address: str
    extra: tuple[str, ...]
    port: int
    protocol: Protocol
    chains: tuple[Chain, ...]
    bound: bool

    def has_use_for(self, new: Protocol) -> bool:
        """Whether a service that speaks ``new`` adds anything to the socket."""
        if new is Protocol.HTTP_PROXY:
            return True
        if new.is_http and not ports.is_tcp(self.protocol):
            return False
        if ports.is_sniffed(new) and ports.is_sniffed(self.protocol):
            return False
        return self.protocol == new or not (self.protocol in _EXACT or new in _EXACT)


def shared(there: Entry, new: Entry) -> Entry:
    """Both on one socket; of two chains for the same connections the first counts."""
    if ports.is_sniffed(new.protocol) and there.protocol.is_http:
        return new
    chains = list(there.chains)
    for chain in new.chains:
        if all(chain.condition != each.condition for each in chains):
            chains.append(chain)
    both_tcp = ports.is_tcp(there.protocol) and ports.is_tcp(new.protocol)
    kept = both_tcp or ports.is_sniffed(there.protocol)
    protocol = there.protocol if kept else Protocol.UNSUPPORTED
    return replace(there, chains=tuple(chains), protocol=protocol)
