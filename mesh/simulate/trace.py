"""What happened to a request: plain data, in the order of the steps. Made by this package; read by mesh.explain."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mesh.simulate.request import Request


class Outcome(StrEnum):
    """How a request leaves a proxy."""

    FORWARDED = "forwarded"
    ANSWERED = "answered"
    REFUSED = "refused"
    UNROUTED = "unrouted"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Rule:
    """One policy of an RBAC filter. ``caller`` and ``request``: whether either half matched; what did not is in ``wanted``."""

    name: str
    caller: bool
    request: bool
    wanted: str = ""

    @property
    def matched(self) -> bool:
        return self.caller and self.request


@dataclass(frozen=True)
class Check:
    """One RBAC filter. ``action`` is ALLOW, DENY or LOG; ``trial`` says that it only pretends."""

    action: str
    passed: bool
    rules: tuple[Rule, ...]
    trial: bool = False


@dataclass(frozen=True)
class Token:
    """What became of a token; ``status`` and ``reason`` are those of the refusal of one that is not ``valid``."""

    issuer: str
    valid: bool
    reason: str = ""
    status: int = 0


@dataclass(frozen=True)
class Retries:
    """At most ``attempts`` in all, the first among them. Times are seconds; None is no limit of its own."""

    attempts: int
    on: str
    codes: tuple[int, ...] = ()
    each: float | None = None


@dataclass(frozen=True)
class Fault:
    """Shares, from 0 to 1, of requests that are delayed (by seconds) and answered with a status (gRPC's when ``grpc``)."""

    delayed: float = 0.0
    delay: float = 0.0
    aborted: float = 0.0
    status: int = 0
    grpc: bool = False


@dataclass(frozen=True)
class Limits:
    """A cluster's circuit breakers; None is no limit."""

    connections: int | None = None
    pending: int | None = None
    requests: int | None = None
    retries: int | None = None


@dataclass(frozen=True)
class Outlier:
    """When an endpoint is left out: so many errors in a row, for so many seconds, at most that percentage of all."""

    errors: int | None
    gateway_errors: int | None
    seconds: float
    percent: int


@dataclass(frozen=True)
class Tls:
    """TLS to an endpoint: the server name and protocols that are offered, whether the proxy shows a certificate, and the StringMatchers of
    which one must take the server's name in its own (none: any name will do)."""

    sni: str = ""
    alpn: tuple[str, ...] = ()
    own_certificate: bool = True
    names: tuple[Any, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Endpoint:
    """An address that answers. ``tls`` is None where it is spoken to in plaintext; a ``priority`` above 0 is asked when those below fail."""

    address: str
    port: int
    tls: Tls | None = None
    healthy: bool = True
    weight: int = 1
    priority: int = 0


@dataclass(frozen=True)
class Cluster:
    """Where requests go. ``config`` is the path of the Istio resource that shaped it."""

    name: str
    endpoints: tuple[Endpoint, ...] = ()
    config: str = ""
    connect: float = 5.0
    limits: Limits = Limits()
    outlier: Outlier | None = None
    anywhere: Endpoint | None = None


@dataclass(frozen=True)
class Share:
    """A part, from 0 to 1, of the requests and its cluster; None when the proxy does not have the cluster.

    ``sent`` is the request as it leaves the proxy; None for bytes that are no HTTP.
    """

    share: float
    name: str
    cluster: Cluster | None
    sent: Request | None = None


@dataclass(frozen=True)
class Passed:
    """A route that was tried before the one that was taken, and what of the request it did not like."""

    name: str
    why: str


@dataclass(frozen=True)
class Route:
    """The route that was taken. ``config`` is the path of its Istio resource, ``index`` its place among the virtual host's,
    ``match`` its RouteMatch in deterministic bytes."""

    name: str
    index: int
    config: str = ""
    passed: tuple[Passed, ...] = ()
    timeout: float | None = None
    retries: Retries | None = None
    mirrors: tuple[Share, ...] = ()
    fault: Fault | None = None
    location: str = ""
    match: bytes = b""


@dataclass(frozen=True)
class Pass:
    """A request's way through one proxy. ``status`` is the HTTP status that the proxy answers by itself, else 0.

    ``mutual``: the filter chain ends TLS and wants a certificate. ``offers``: the protocols that a filter offers to TLS servers in place of the
    cluster's. ``unread``: filters that this simulation knows nothing of. ``token`` is None where there is none, or none that anybody reads.
    """

    listener: str = ""
    chain: str = ""
    mutual: bool = False
    http: bool = True
    checks: tuple[Check, ...] = ()
    virtual_host: str = ""
    route: Route | None = None
    shares: tuple[Share, ...] = ()
    outcome: Outcome = Outcome.FORWARDED
    status: int = 0
    reason: str = ""
    offers: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    token: Token | None = None


@dataclass(frozen=True)
class Arrival:
    """What the proxy of one endpoint makes of a share of the requests; None where no proxy is known."""

    share: float
    cluster: str
    endpoint: Endpoint | None
    at: str = ""
    inbound: Pass | None = None


@dataclass(frozen=True)
class Trace:
    """A call: through the caller's proxy, then at each endpoint that may get it."""

    outbound: Pass
    arrivals: tuple[Arrival, ...] = ()

    @property
    def allowed(self) -> bool:
        """Whether every request gets to an application, or to an answer of a route's own that is no error."""
        if self.outbound.outcome is Outcome.ANSWERED:
            return self.outbound.status < 400
        reached = [
            each.inbound is None or each.inbound.outcome is Outcome.FORWARDED for each in self.arrivals
        ]
        return self.outbound.outcome is Outcome.FORWARDED and bool(reached) and all(reached)
