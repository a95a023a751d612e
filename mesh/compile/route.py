"""VirtualService -> Envoy's routes, in the order in which they are tried.

Source: pilot/pkg/networking/core/route/route.go, BuildHTTPRoutesForVirtualService and TranslateRoute.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from envoy.config.route.v3.route_components_pb2 import RetryPolicy, Route

from mesh.compile import answer
from mesh.compile.cors import cors
from mesh.compile.destination import Resolver, apply_mirrors, apply_single, apply_weighted
from mesh.compile.fault import fault
from mesh.compile.hashing import for_service, hash_policy
from mesh.compile.headers import operations
from mesh.compile.match import matches_everything, route_match
from mesh.compile.retry import retry_policy
from mesh.compile.scope import Scope
from mesh.compile.visible import VirtualService
from mesh.envoy import filters, names
from mesh.envoy.metadata import config_path, metadata
from mesh.envoy.typed import typed
from mesh.model.service import Port, Service, Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.virtualservice import HTTPMatch, HTTPRewrite, HTTPRoute

_FOREVER = timedelta(0)


@dataclass(frozen=True, eq=False)
class Caller:
    """Who asks: a proxy, through a gateway (``mesh`` for a sidecar), on a port."""

    workload: Workload
    gateway: str
    resolver: Resolver

    @property
    def port(self) -> int:
        return self.resolver.port


def routes(rule: VirtualService, caller: Caller) -> list[Route]:
    """The routes of a VirtualService that this caller may meet, ending with the first that matches everything."""
    found: list[Route] = []
    for given in rule.spec.http:
        for match in given.match or (None,):
            if _concerns(match, caller):
                route = _route(rule, given, match, caller)
                found.append(route)
                if matches_everything(route.match):
                    return found
        if not given.match:
            return found
    return found


def default_route(scope: Scope, service: Service, port: Port, config: MeshConfig) -> Route:
    """To a service that no VirtualService says anything about."""
    cluster = names.outbound(port.number, "", service.hostname)
    route = Route(
        name="default",
        match={"prefix": "/"},
        decorator={"operation": f"{service.hostname}:{port.number}/*"},
    )
    route.route.cluster = cluster
    _retry(route, retry_policy(config.default_http_retry_policy, hashed=False))
    route.route.hash_policy.extend(hash_policy(for_service(scope.rule(service.hostname), port.number)))
    _timeout(route, None)
    return route


def _concerns(match: HTTPMatch | None, caller: Caller) -> bool:
    if match is None:
        return True
    if match.port and match.port != caller.port:
        return False
    if match.gateways:
        return caller.gateway in match.gateways
    labels = caller.workload.labels
    labelled = all(labels.get(key) == value for key, value in match.source_labels.items())
    return labelled and match.source_namespace in ("", caller.workload.namespace)


def _route(rule: VirtualService, given: HTTPRoute, match: HTTPMatch | None, caller: Caller) -> Route:
    said = operations(given.headers)
    route = Route(
        name=f"{given.name}.{match.name}" if match and match.name else given.name,
        match=route_match(match),
        metadata=metadata(istio={"config": config_path("virtual-service", rule.namespace, rule.name)}),
        stat_prefix=match.stat_prefix if match else "",
        **said.fields(),
    )
    if given.redirect:
        _redirect(route, given, caller)
    elif given.direct_response:
        route.direct_response.CopyFrom(answer.direct_response(given.direct_response))
    else:
        _forward(route, given, said.authority, caller.resolver)
    route.decorator.operation = _operation(route, rule.name, caller.port)
    if given.fault:
        route.typed_per_filter_config[filters.FAULT].CopyFrom(typed(fault(given.fault)))
    if given.cors_policy:
        route.typed_per_filter_config[filters.CORS].CopyFrom(typed(cors(given.cors_policy)))
    return route


def _redirect(route: Route, given: HTTPRoute, caller: Caller) -> None:
    tls = caller.resolver.tls
    action = answer.redirect(given.redirect, caller.port, tls) if given.redirect else None
    if action is not None:
        route.redirect.CopyFrom(action)


def _forward(route: Route, given: HTTPRoute, authority: str, resolver: Resolver) -> None:
    _timeout(route, given.timeout)
    if given.rewrite:
        _rewrite(route, given.rewrite)
        headers = resolver.config.default_config.proxy_headers
        route.route.append_x_forwarded_host = headers is not None and headers.x_forwarded_host.enabled
        authority = given.rewrite.authority or authority
    if authority:
        route.route.host_rewrite_literal = authority
    apply_mirrors(route, given, resolver)
    hashed = False
    if len(given.route) == 1:
        apply_single(route, given.route[0], resolver)
        hashed = resolver.hashed(given.route[0].destination)
    else:
        apply_weighted(route, given.route, resolver)
    retries = given.retries if given.retries is not None else resolver.config.default_http_retry_policy
    _retry(route, retry_policy(retries, hashed))


def _retry(route: Route, policy: RetryPolicy | None) -> None:
    if policy is not None:
        route.route.retry_policy.CopyFrom(policy)


def _timeout(route: Route, given: timedelta | None) -> None:
    """For the whole call with its retries; also the most that a gRPC caller's own deadline may ask for. 0 is no limit."""
    route.route.timeout.FromTimedelta(given or _FOREVER)
    route.route.max_grpc_timeout.FromTimedelta(given or _FOREVER)


def _rewrite(route: Route, given: HTTPRewrite) -> None:
    if given.uri_regex_rewrite:
        route.route.regex_rewrite.pattern.regex = given.uri_regex_rewrite.match
        route.route.regex_rewrite.substitution = given.uri_regex_rewrite.rewrite
    else:
        route.route.prefix_rewrite = given.uri


def _operation(route: Route, name: str, port: int) -> str:
    """What a span of this route is called."""
    if route.route.cluster.count("|") == 3:
        _, number, _, host = route.route.cluster.split("|")
        return f"{host}:{number}{_path(route)}"
    return f"{name}:{port}{_path(route)}"


def _path(route: Route) -> str:
    match = route.match
    if match.HasField("prefix"):
        return f"{match.prefix}*"
    return match.path or match.safe_regex.regex or "/*"


def caller_labels(rule: VirtualService) -> Iterator[str]:
    """The labels by which a rule distinguishes its callers."""
    spec = rule.spec
    found = [each.source_labels for given in spec.http for each in given.match]
    found += [each.source_labels for given in spec.tcp for each in given.match]
    found += [each.source_labels for given in spec.tls for each in given.match]
    return chain.from_iterable(found)
