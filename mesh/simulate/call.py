"""A call from one workload to another: the caller's proxy, then the proxy of every endpoint that may get it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from mesh.envoy.snapshot import Snapshot
from mesh.simulate import proxy, text
from mesh.simulate.request import Connection, Request
from mesh.simulate.trace import Arrival, Endpoint, Outcome, Pass, Share, Trace

#: What a plain connection turns out to speak when an inspector looks.
_SPOKEN: Final = {True: ("h2c",), False: ("http/1.1",)}


@dataclass(frozen=True)
class Proxy:
    """A proxy: its node id, what it is configured with, the URI in its certificate (empty: it has none), its address."""

    id: str
    resources: Snapshot
    identity: str = ""
    address: str = ""


#: The proxy that takes connections to an address and port; None where there is none.
Find = Callable[[str, int], Proxy | None]


def call(caller: Proxy, connection: Connection, request: Request | None, find: Find) -> Trace:
    """What a call meets. Endpoints are not chosen among: each arrival says what its share of the requests meets."""
    if not connection.tls and request is not None:
        connection = replace(connection, alpn=_SPOKEN[request.http2])
    out = proxy.outbound(caller.resources, connection, request)
    if out.outcome is not Outcome.FORWARDED:
        return Trace(out)
    found = (_arrivals(caller, connection, out, share, find) for share in out.shares)
    return Trace(out, tuple(arrival for arrivals in found for arrival in arrivals))


def _arrivals(
    caller: Proxy, connection: Connection, out: Pass, share: Share, find: Find
) -> Iterator[Arrival]:
    endpoints = _asked(share, connection)
    if not endpoints:
        why = "the proxy has no such cluster" if share.cluster is None else "no endpoint is ready"
        lost = Pass(outcome=Outcome.UNREACHABLE, status=503, reason=why)
        yield Arrival(share.share, share.name, None, inbound=lost)
    total = sum(each.weight for each in endpoints)
    for each in endpoints:
        part = share.share * each.weight / total
        there = find(each.address, each.port)
        made = _distrusted(each, there) if there else None
        if there and not made:
            made = proxy.inbound(there.resources, _hop(caller, out, share, each), share.sent)
        yield Arrival(part, share.name, each, there.id if there else "", made)


def _distrusted(endpoint: Endpoint, there: Proxy) -> Pass | None:
    """The end of a call whose caller does not take the server's certificate; None when it does."""
    names = endpoint.tls.names if endpoint.tls else ()
    if not names or any(text.matches(each, there.identity) for each in names):
        return None
    why = f"the certificate of {there.identity} has none of the names that the caller asks for"
    return Pass(outcome=Outcome.UNREACHABLE, status=503, reason=why)


def _asked(share: Share, connection: Connection) -> list[Endpoint]:
    """The endpoints that get requests while all is well: the healthy ones of the first priority that has any."""
    if share.cluster is None:
        return []
    if share.cluster.anywhere:
        return [replace(share.cluster.anywhere, address=connection.address, port=connection.port)]
    healthy = [each for each in share.cluster.endpoints if each.healthy]
    first = min((each.priority for each in healthy), default=0)
    return [each for each in healthy if each.priority == first]


def _hop(caller: Proxy, out: Pass, share: Share, endpoint: Endpoint) -> Connection:
    """The connection from the caller's proxy to an endpoint."""
    made = Connection(endpoint.address, endpoint.port, caller.address)
    tls = endpoint.tls
    if tls is None:
        return replace(made, alpn=_SPOKEN[share.sent.http2] if share.sent else ())
    alpn = out.offers or tls.alpn
    return replace(
        made, tls=True, sni=tls.sni, alpn=alpn, principal=caller.identity if tls.own_certificate else ""
    )
