"""The HTTP connection manager: virtual host, route, then each filter in its order until the router."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Final

from envoy.config.route.v3.route_components_pb2 import RedirectAction, VirtualHost
from envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthz
from envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC

from mesh.envoy.snapshot import Snapshot
from mesh.simulate import action, cluster, jwt, paths, rbac, redirect, route
from mesh.simulate.request import Connection, Request
from mesh.simulate.trace import Check, Outcome, Pass, Route, Share, Token

#: Istio's own filter offers these, so that the other side knows that it is called by a sidecar, and with what.
_ALPN_FILTER: Final = "istio.alpn"
_OFFERED: Final = {True: ("istio-h2", "istio", "h2"), False: ("istio-http/1.1", "istio", "http/1.1")}
#: How rules are named that only decide whether a service is asked.
_ASKED: Final = "istio-ext-authz"
#: Filters that let every request pass as it is, or that are followed elsewhere.
_KNOWN: Final = frozenset(
    {
        "envoy.filters.http.cors",
        "envoy.filters.http.fault",
        "envoy.filters.http.grpc_stats",
        "envoy.filters.http.grpc_web",
        "envoy.filters.http.jwt_authn",
        "envoy.filters.http.router",
        _ALPN_FILTER,
        "istio.metadata_exchange",
        "istio.stats",
        "istio_authn",
    }
)


def through(
    manager: Any, resources: Snapshot, connection: Connection, request: Request, so_far: Pass
) -> Pass:
    """What becomes of a request, added to what is known of its connection."""
    request = replace(request, path=paths.normal(manager, request.path))
    config = _routes(manager, resources)
    host = route.virtual_host(config, request.authority) if config is not None else None
    seen = jwt.verified(manager, request)
    routed = seen.request if seen.reroutes else request
    index, passed = route.chosen(host, routed) if host is not None else (None, ())
    request = seen.request
    made = replace(
        so_far,
        virtual_host=host.name if host is not None else "",
        offers=_offered(manager, request),
        token=seen.token,
        checks=tuple(_checks(manager, connection, request)) if _lets_in(seen.token) else (),
    )
    made = replace(made, unread=tuple(f.name for f in manager.http_filters if _unread(f, made.checks)))
    if host is None:
        return _refused(made) or _unrouted(made, "no virtual host has this name")
    if host.require_tls != VirtualHost.NONE and not connection.tls:
        return replace(made, outcome=Outcome.ANSWERED, status=301, reason="only https is answered here")
    if index is not None:
        made = replace(made, route=_route(host.routes[index], index, passed, host, request))
    if refused := _refused(made):
        return refused
    if index is None:
        return _unrouted(made, "no route takes the request")
    return _acted(made, host, index, resources, request)


def _lets_in(token: Token | None) -> bool:
    return token is None or token.valid


def _refused(made: Pass) -> Pass | None:
    if made.token and not made.token.valid:
        return replace(made, outcome=Outcome.REFUSED, status=made.token.status, reason=made.token.reason)
    if all(check.passed for check in made.checks if not check.trial):
        return None
    return replace(made, outcome=Outcome.REFUSED, status=403, reason="RBAC: access denied")


def _unrouted(made: Pass, why: str) -> Pass:
    return replace(made, outcome=Outcome.UNROUTED, status=404, reason=why)


def _offered(manager: Any, request: Request) -> tuple[str, ...]:
    return _OFFERED[request.http2] if any(f.name == _ALPN_FILTER for f in manager.http_filters) else ()


def _unread(given: Any, checks: Iterable[Check]) -> bool:
    """Whether a filter may change what becomes of the request; one that asks a service does where a rule before it says so."""
    if given.typed_config.Is(ExtAuthz.DESCRIPTOR):
        rules = (rule for check in checks if check.trial for rule in check.rules)
        return any(rule.matched and rule.name.startswith(_ASKED) for rule in rules)
    return not given.typed_config.Is(RBAC.DESCRIPTOR) and given.name not in _KNOWN and not given.disabled


def _routes(manager: Any, resources: Snapshot) -> Any | None:
    if manager.HasField("rds"):
        return resources.routes.get(manager.rds.route_config_name)
    return manager.route_config


def _checks(manager: Any, connection: Connection, request: Request) -> list[Check]:
    """What every RBAC filter says, up to the first that refuses."""
    found: list[Check] = []
    seen = rbac.Seen(connection, request, _remote(manager, connection, request))
    for each in manager.http_filters:
        if not each.typed_config.Is(RBAC.DESCRIPTOR):
            continue
        given = RBAC()
        each.typed_config.Unpack(given)
        if given.HasField("shadow_rules"):
            found.append(rbac.check(given.shadow_rules, seen, trial=True))
        if given.HasField("rules"):
            found.append(rbac.check(given.rules, seen))
            if not found[-1].passed:
                break
    return found


def _remote(manager: Any, connection: Connection, request: Request) -> str:
    """The client's address: the connection's, else as many places from the end of x-forwarded-for as proxies are trusted."""
    hops = manager.xff_num_trusted_hops
    said = [each.strip() for each in request.headers.get("x-forwarded-for", "").split(",") if each.strip()]
    back = hops if manager.use_remote_address.value else hops + 1
    return said[-back] if 0 < back <= len(said) else connection.source


def _route(given: Any, index: int, passed: Any, host: Any, request: Request) -> Route:
    grpc = request.headers.get("content-type", "").startswith("application/grpc")
    made = Route(
        given.name,
        index,
        cluster.istio(given.metadata).get("config", ""),
        passed,
        match=given.match.SerializeToString(deterministic=True),
    )
    if not given.HasField("route"):
        return made
    return replace(
        made,
        timeout=action.timeout(given.route, grpc),
        retries=action.retries(given.route, host),
        fault=action.fault(given),
    )


def _acted(made: Pass, host: Any, index: int, resources: Snapshot, request: Request) -> Pass:
    given = host.routes[index]
    kind = given.WhichOneof("action")
    fault = action.fault(given)
    if fault and fault.aborted == 1.0:
        status = 200 if fault.grpc else fault.status
        return replace(
            made, outcome=Outcome.ANSWERED, status=status, reason="an abort that the route injects"
        )
    if kind == "direct_response":
        status = given.direct_response.status
        return replace(made, outcome=Outcome.ANSWERED, status=status, reason="the route's own response")
    if kind == "redirect":
        status = redirect.STATUS[RedirectAction.RedirectResponseCode.Name(given.redirect.response_code)]
        where = redirect.location(given, request)
        moved = replace(made.route, location=where) if made.route else None
        return replace(
            made, route=moved, outcome=Outcome.ANSWERED, status=status, reason=f"redirected to {where}"
        )
    if kind != "route":
        return _unrouted(made, "the route does nothing")
    return _forwarded(made, host, given, resources, request)


def _forwarded(made: Pass, host: Any, route_: Any, resources: Snapshot, request: Request) -> Pass:
    given = route_.route
    request = replace(request, verified=None)
    shares = tuple(
        Share(share, name, cluster.found(resources, name), action.forwarded(request, route_, part, host))
        for share, name, part in action.shares(given)
    )
    mirrors = tuple(
        Share(
            action.fraction(each.runtime_fraction.default_value)
            if each.HasField("runtime_fraction")
            else 1.0,
            each.cluster,
            cluster.found(resources, each.cluster),
        )
        for each in given.request_mirror_policies
    )
    taken = replace(made.route, mirrors=mirrors) if made.route else None
    return replace(made, route=taken, shares=shares)
