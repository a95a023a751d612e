"""EnvoyFilters' patches of listeners, their filter chains, and the filters in these.

Source: pilot/pkg/networking/core/envoyfilter/listener_patch.go. On one machine a listener is matched as the one that stands for it where traffic
is captured (``Place``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from envoy.config.listener.v3.listener_pb2 import Listener
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

from mesh.compile import patch_route
from mesh.compile.patch import MERGES, Patches, assign, edited
from mesh.envoy.filters import HTTP_CONNECTION_MANAGER
from mesh.envoy.merging import merge, merge_packed
from mesh.envoy.patching import Patch
from mesh.envoy.typed import typed
from mesh.resources.istio.envoyfilter import ApplyTo, FilterChainMatch, Operation, PatchContext

TARGETS: Final = (
    ApplyTo.LISTENER,
    ApplyTo.FILTER_CHAIN,
    ApplyTo.NETWORK_FILTER,
    ApplyTo.HTTP_FILTER,
)
_VIRTUAL: Final = ("virtualInbound", "virtualOutbound")
_ADDS: Final = (Operation.ADD, Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST)


@dataclass(frozen=True)
class Place:
    """How a listener is named where traffic is captured. ``chain_port``: of all its chains, where they do not say it themselves."""

    names: frozenset[str]
    port: int
    chain_port: int = 0

    @property
    def virtual(self) -> bool:
        return not self.names.isdisjoint(_VIRTUAL)


def place(listener: Listener) -> Place:
    """Of a listener that is named as on a cluster."""
    return Place(frozenset({listener.name}), listener.address.socket_address.port_value)


def context(listener: Listener, gateway: bool) -> PatchContext:
    if gateway:
        return PatchContext.GATEWAY
    return PatchContext.SIDECAR_INBOUND if listener.traffic_direction == 1 else PatchContext.SIDECAR_OUTBOUND


def patched(given: Listener, where: Place, patches: Patches, side: PatchContext) -> Listener | None:
    """The listener as a copy that is changed, or itself; None when it is removed."""
    found = {target: list(_of(patches, side, target, where)) for target in TARGETS}
    routes = side is PatchContext.SIDECAR_INBOUND and patches.any_of(*patch_route.TARGETS)
    if not routes and not any(found.values()):
        return given
    made = Listener()
    made.CopyFrom(given)
    if routes:
        _inline_routes(made, patches)
    for patch in found[ApplyTo.LISTENER]:
        if patch.operation is Operation.REMOVE:
            return None
        if patch.operation in MERGES:
            _merge(made, patch)
    _chains(made, where, found)
    return made


def added(patches: Patches, side: PatchContext) -> Iterator[Listener]:
    """Listeners that are put in; those for no side in particular once, with the outbound ones."""
    for patch in patches.of(side, ApplyTo.LISTENER):
        anywhere = patch.match.context is PatchContext.ANY
        if patch.operation in _ADDS and not (anywhere and side is PatchContext.SIDECAR_INBOUND):
            yield patch.value


def _of(patches: Patches, side: PatchContext, target: ApplyTo, where: Place) -> Iterator[Patch]:
    for patch in patches.of(side, target):
        match = patch.match.listener
        if match is None or not match.name or match.name in where.names:
            inside = target is not ApplyTo.LISTENER and where.virtual
            if match is None or inside or match.port_number in (0, where.port):
                yield patch


def _chains(listener: Any, where: Place, found: dict[ApplyTo, list[Patch]]) -> None:
    kept = [each for each in listener.filter_chains if each.filters and _chain(each, where, found)]
    if listener.HasField("default_filter_chain") and not _chain(listener.default_filter_chain, where, found):
        listener.ClearField("default_filter_chain")
    added = [patch.value for patch in found[ApplyTo.FILTER_CHAIN] if patch.operation in _ADDS]
    assign(listener.filter_chains, [*kept, *(each for each in added if each.filters)])


def _chain(chain: Any, where: Place, found: dict[ApplyTo, list[Patch]]) -> bool:
    """False when it is removed."""
    for patch in found[ApplyTo.FILTER_CHAIN]:
        if not _chain_matches(chain, where, patch):
            continue
        if patch.operation is Operation.REMOVE:
            return False
        if patch.operation in MERGES:
            _merge_chain(chain, patch)
    patches = [p for p in found[ApplyTo.NETWORK_FILTER] if _chain_matches(chain, where, p)]
    inner = [p for p in found[ApplyTo.HTTP_FILTER] if _chain_matches(chain, where, p)]
    for patch in patches:
        if patch.operation is not Operation.MERGE:
            assign(chain.filters, edited(chain.filters, patch, _filter_named(patch)))
    for each in chain.filters:
        _network_filter(each, patches, inner)
    return True


def _network_filter(given: Any, patches: list[Patch], inner: list[Patch]) -> None:
    for patch in patches:
        matches = _filter_named(patch)
        if patch.operation is Operation.MERGE and (matches is None or matches(given)):
            _merge_filter(given, patch)
    if given.name == HTTP_CONNECTION_MANAGER:
        wanted = [p for p in inner if (named := _filter_named(p)) is None or named(given)]
        if wanted and given.typed_config.Is(HttpConnectionManager.DESCRIPTOR):
            manager = HttpConnectionManager()
            given.typed_config.Unpack(manager)
            _http_filters(manager, wanted)
            given.typed_config.CopyFrom(typed(manager))


def _http_filters(manager: Any, patches: list[Patch]) -> None:
    for patch in patches:
        if patch.operation is not Operation.MERGE:
            assign(manager.http_filters, edited(manager.http_filters, patch, _inner_named(patch)))
    for each in manager.http_filters:
        for patch in patches:
            matches = _inner_named(patch)
            if patch.operation is Operation.MERGE and (matches is None or matches(each)):
                _merge_filter(each, patch)


def _merge_filter(given: Any, patch: Patch) -> None:
    if not given.HasField("typed_config"):
        return
    if patch.value.HasField("typed_config"):
        merge_packed(given.typed_config, patch.value.typed_config)
    if patch.value.name:
        given.name = patch.value.name


def _merge_chain(chain: Any, patch: Patch) -> None:
    """A transport socket of the same name is merged inside, and nothing else then; one of another name and all the rest as they are."""
    mine, other = chain.transport_socket, patch.value.transport_socket
    both = chain.HasField("transport_socket") and patch.value.HasField("transport_socket")
    if both and mine.name == other.name:
        if mine.HasField("typed_config") and other.HasField("typed_config"):
            merge_packed(mine.typed_config, other.typed_config)
    else:
        _merge(chain, patch)


def _merge(into: Any, patch: Patch) -> None:
    merge(into, patch.value, patch.operation is Operation.MERGE_AND_REPLACE_LIST)


def _inline_routes(listener: Any, patches: Patches) -> None:
    """A sidecar's inbound routes stand in its listeners, and are patched before these are."""
    side = patch_route.Side(PatchContext.SIDECAR_INBOUND)
    for chain in listener.filter_chains:
        for each in chain.filters:
            manager = HttpConnectionManager()
            if each.typed_config.Unpack(manager) and manager.HasField("route_config"):
                manager.route_config.CopyFrom(patch_route.patched(manager.route_config, patches, side))
                each.typed_config.CopyFrom(typed(manager))


def _chain_matches(chain: Any, where: Place, patch: Patch) -> bool:
    match = patch.match.listener
    if match is None:
        return True
    has = chain.filter_chain_match
    port = where.chain_port or has.destination_port.value
    if where.virtual and match.port_number and match.port_number != port:
        return False
    wanted = match.filter_chain or FilterChainMatch()
    protocols = wanted.application_protocols.split(",") if wanted.application_protocols else []
    return (
        wanted.name in ("", chain.name)
        and (not wanted.sni or wanted.sni in has.server_names)
        and wanted.transport_protocol in ("", has.transport_protocol)
        and set(protocols) <= set(has.application_protocols)
        and wanted.destination_port in (0, port)
    )


def _filter_named(patch: Patch) -> Callable[[Any], bool] | None:
    chain = patch.match.listener.filter_chain if patch.match.listener else None
    return _called(chain.filter.name) if chain and chain.filter else None


def _inner_named(patch: Patch) -> Callable[[Any], bool] | None:
    chain = patch.match.listener.filter_chain if patch.match.listener else None
    inner = chain.filter.sub_filter if chain and chain.filter else None
    return _called(inner.name) if inner else None


def _called(name: str) -> Callable[[Any], bool]:
    return lambda each: bool(each.name == name)
