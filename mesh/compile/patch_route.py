"""EnvoyFilters' patches of route configurations, virtual hosts and routes.

Source: pilot/pkg/networking/core/envoyfilter/rc_patch.go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from envoy.config.route.v3.route_pb2 import RouteConfiguration

from mesh.compile.gateway import Server
from mesh.compile.patch import MERGES, Patches, assign, edited
from mesh.envoy.merging import merge
from mesh.envoy.patching import Patch
from mesh.resources.istio.envoyfilter import (
    ApplyTo,
    Operation,
    PatchContext,
    RouteAction,
    RouteConfigurationMatch,
)

TARGETS: Final = (ApplyTo.ROUTE_CONFIGURATION, ApplyTo.VIRTUAL_HOST, ApplyTo.HTTP_ROUTE)
_ADDS: Final = (Operation.ADD, Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST)
_ACTIONS: Final = {
    "route": RouteAction.ROUTE,
    "redirect": RouteAction.REDIRECT,
    "direct_response": RouteAction.DIRECT_RESPONSE,
}


@dataclass(frozen=True)
class Side:
    """Where a configuration is used. ``ports``: of a gateway, the pod's port -> the ports of the servers that are met there."""

    context: PatchContext
    ports: Mapping[int, frozenset[int]] = field(default_factory=dict)


def patched(config: RouteConfiguration, patches: Patches, side: Side) -> RouteConfiguration:
    """The configuration, or a copy that is changed."""
    found = {
        target: [p for p in patches.of(side.context, target) if _is_for(config, p, side)]
        for target in TARGETS
    }
    if not any(found.values()):
        return config
    made = RouteConfiguration()
    made.CopyFrom(config)
    for patch in found[ApplyTo.ROUTE_CONFIGURATION]:
        if patch.operation in MERGES:
            _merge(made, patch)
    _hosts(made, found[ApplyTo.VIRTUAL_HOST], found[ApplyTo.HTTP_ROUTE])
    return made


def _hosts(config: Any, patches: list[Patch], routes: list[Patch]) -> None:
    made = [_host(host, patches, routes) for host in config.virtual_hosts]
    removed = {host.name for host, kept in zip(config.virtual_hosts, made, strict=True) if kept is None}
    kept = [host for host in made if host is not None]
    kept += [patch.value for patch in patches if patch.operation in _ADDS]
    assign(config.virtual_hosts, [host for host in kept if host.name not in removed])


def _host(host: Any, patches: list[Patch], routes: list[Patch]) -> Any | None:
    """None when it is removed."""
    for patch in patches:
        if not _host_matches(host, patch.match.route_configuration):
            continue
        if patch.operation is Operation.REMOVE:
            return None
        if patch.operation in MERGES:
            _merge(host, patch)
        elif patch.operation is Operation.REPLACE:
            host = type(host)()
            host.CopyFrom(patch.value)
    wanted = [patch for patch in routes if _host_matches(host, patch.match.route_configuration)]
    if wanted:
        _routes(host, wanted)
    return host


def _routes(host: Any, patches: list[Patch]) -> None:
    """What is removed is still there while others are put before and after what is left of it."""
    found: list[Any | None] = [_route(each, patches) for each in host.routes]
    for patch in patches:
        if patch.operation in _ADDS:
            found = _added(found, patch)
    assign(host.routes, [each for each in found if each is not None])


def _route(route: Any, patches: list[Patch]) -> Any | None:
    for patch in patches:
        if _route_matches(route, patch):
            if patch.operation is Operation.REMOVE:
                return None
            if patch.operation in MERGES:
                _merge(route, patch)
    return route


def _added(found: list[Any | None], patch: Patch) -> list[Any | None]:
    if not _names_route(patch):
        return edited(found, patch, None)
    matches: Callable[[Any], bool] = lambda route: _route_matches(route, patch)  # noqa: E731
    if patch.operation is Operation.INSERT_FIRST and not any(map(matches, found)):
        return found
    return edited(found, patch, matches)


def _merge(into: Any, patch: Patch) -> None:
    merge(into, patch.value, patch.operation is Operation.MERGE_AND_REPLACE_LIST)


def _is_for(config: Any, patch: Patch, side: Side) -> bool:
    match = patch.match.route_configuration
    if match is None:
        return True
    if match.name and match.name != config.name:
        return False
    if side.context is not PatchContext.GATEWAY:
        return match.port_number in (0, _port(config.name))
    port, name, gateway = _gateway(config.name)
    return (
        match.port_name in ("", name)
        and match.gateway in ("", gateway)
        and (not match.port_number or match.port_number in side.ports.get(port, frozenset({port})))
    )


def _port(name: str) -> int:
    number = name.split("|")[1] if name.startswith("inbound|") else name
    return int(number) if number.isdecimal() else 0


def _gateway(name: str) -> tuple[int, str, str]:
    """(port, port's name, gateway) of ``http.PORT`` and of ``https.PORT.NAME.GATEWAY.NAMESPACE``."""
    kind, _, rest = name.partition(".")
    if kind == "http":
        return int(rest) if rest.isdecimal() else 0, "", ""
    parts = rest.split(".")
    if kind != "https" or len(parts) != 4:
        return 0, "", ""
    port, port_name, gateway, namespace = parts
    return int(port) if port.isdecimal() else 0, port_name, f"{namespace}/{gateway}"


def _host_matches(host: Any, match: RouteConfigurationMatch | None) -> bool:
    wanted = match.vhost if match else None
    if wanted is None:
        return True
    return wanted.name in ("", host.name) and (not wanted.domain_name or wanted.domain_name in host.domains)


def _names_route(patch: Patch) -> bool:
    match = patch.match.route_configuration
    return match is not None and match.vhost is not None and match.vhost.route is not None


def _route_matches(route: Any | None, patch: Patch) -> bool:
    match = patch.match.route_configuration
    wanted = match.vhost.route if match and match.vhost else None
    if wanted is None:
        return True
    if route is None or wanted.name not in ("", route.name):
        return False
    kind = _ACTIONS.get(route.WhichOneof("action"))
    return wanted.action is RouteAction.ANY or kind is None or wanted.action is kind


def numbers(by_routes: Mapping[str, Iterable[Server]]) -> Mapping[int, frozenset[int]]:
    """The pod's port -> the ports of the servers that are met there, of a gateway's servers by their route configurations."""
    found: dict[int, set[int]] = {}
    for name, servers in by_routes.items():
        found.setdefault(_gateway(name)[0], set()).update(server.number for server in servers)
    return {port: frozenset(each) for port, each in found.items()}
