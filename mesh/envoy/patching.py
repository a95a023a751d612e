"""The patches of EnvoyFilters, read: what to do, to which part of Envoy's configuration, with which message.

Made from the Mesh's EnvoyFilters for ``mesh.compile.patch``; what cannot be read is a Problem of the field that is wrong.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

from google.protobuf.message import Message

from mesh.envoy.reading import Unreadable, message
from mesh.link.link import link
from mesh.link.memo import Memo
from mesh.model.mesh import Config, Mesh
from mesh.resources.istio.envoyfilter import ApplyTo, ConfigPatch, EnvoyFilterSpec, ObjectMatch, Operation
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity

_ROUTE: Final = "envoy.config.route.v3.route_components_pb2"
_LISTENER: Final = "envoy.config.listener.v3.listener_components_pb2"
_MANAGER: Final = "envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2"
#: What a patch's value is, by what it is applied to: the module and the name of the message.
_MESSAGES: Final = {
    ApplyTo.LISTENER: ("envoy.config.listener.v3.listener_pb2", "Listener"),
    ApplyTo.FILTER_CHAIN: (_LISTENER, "FilterChain"),
    ApplyTo.NETWORK_FILTER: (_LISTENER, "Filter"),
    ApplyTo.HTTP_FILTER: (_MANAGER, "HttpFilter"),
    ApplyTo.ROUTE_CONFIGURATION: ("envoy.config.route.v3.route_pb2", "RouteConfiguration"),
    ApplyTo.VIRTUAL_HOST: (_ROUTE, "VirtualHost"),
    ApplyTo.HTTP_ROUTE: (_ROUTE, "Route"),
    ApplyTo.CLUSTER: ("envoy.config.cluster.v3.cluster_pb2", "Cluster"),
}
_FIX: Final = "Envoy's documentation of the type has its fields; the object is left out until then"


@dataclass(frozen=True, eq=False)
class Patch:
    """One patch. ``value`` is None where something is removed, and must not be changed: it is shared."""

    apply_to: ApplyTo
    operation: Operation
    match: ObjectMatch
    value: Any


def linked(
    objects: Sequence[Object[Any]], running: bool = False, memo: Memo | None = None
) -> tuple[Mesh, list[Problem]]:
    """``link``, and what only Envoy's own types tell: EnvoyFilters that cannot be read are not in the mesh."""
    mesh, problems = link(objects, running, memo)
    wrong = {id(each): list(_mistakes(each)) for each in mesh.envoy_filters}
    found = [problem for each in wrong.values() for problem in each]
    if not found:
        return mesh, problems
    kept = tuple(each for each in mesh.envoy_filters if not wrong[id(each)])
    return replace(mesh, envoy_filters=kept), sorted([*problems, *found])


def _mistakes(given: Config[EnvoyFilterSpec]) -> Iterator[Problem]:
    for i, each in enumerate(given.spec.config_patches):
        try:
            read(each)
        except Unreadable as error:
            path = ("spec", "configPatches", i, "patch", "value", *error.path)
            yield Problem(given.line(*path), "MW0313", Severity.ERROR, str(error), _FIX)


def read(given: ConfigPatch) -> Patch:
    """Raises Unreadable."""
    patch = given.patch
    assert patch is not None, "link lets no patch pass that has nothing to do"
    value = None if patch.value is None else _value(given.apply_to, _text(patch.value))
    return Patch(given.apply_to, patch.operation, given.match or ObjectMatch(), value)


def _text(value: Any) -> str:
    try:
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        raise Unreadable("a mapping has keys that are no text", ()) from None


@lru_cache(maxsize=4096)
def _value(apply_to: ApplyTo, text: str) -> Message:
    module, name = _MESSAGES[apply_to]
    return message(json.loads(text), getattr(import_module(module), name)())
