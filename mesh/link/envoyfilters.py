"""EnvoyFilters: what istiod refuses, what is not translated, and patches that do nothing. Their values are read by ``mesh.envoy``.

Source: istio pkg/config/validation/envoyfilter.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mesh.link import selectors, targetrefs
from mesh.link.names import Names
from mesh.link.regex import mistake
from mesh.link.spot import Spot, spec
from mesh.resources.istio.envoyfilter import (
    ApplyTo,
    ConfigPatch,
    EnvoyFilterSpec,
    FilterClass,
    ObjectMatch,
    Operation,
    PatchContext,
)
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_MANAGERS: Final = ("envoy.filters.network.http_connection_manager", "envoy.http_connection_manager")
_OF_LISTENERS: Final = (
    ApplyTo.LISTENER,
    ApplyTo.FILTER_CHAIN,
    ApplyTo.NETWORK_FILTER,
    ApplyTo.HTTP_FILTER,
)
_UNTRANSLATED: Final = (ApplyTo.EXTENSION_CONFIG, ApplyTo.BOOTSTRAP, ApplyTo.LISTENER_FILTER)
_LONGEST_VERSION: Final = 1024
_MERGES: Final = (Operation.MERGE, Operation.MERGE_AND_REPLACE_LIST)
_INSERTS: Final = (Operation.INSERT_BEFORE, Operation.INSERT_AFTER, Operation.INSERT_FIRST)
_FILTERS: Final = (ApplyTo.NETWORK_FILTER, ApplyTo.HTTP_FILTER)
#: What istiod's code does something for; it takes any other pair too, and passes it over. Inserting where there is no order is adding.
_IN_PLACES: Final = frozenset({*_INSERTS, Operation.ADD, Operation.REMOVE})
_DONE: Final[dict[ApplyTo, frozenset[Operation]]] = {
    ApplyTo.LISTENER: _IN_PLACES | {*_MERGES},
    ApplyTo.FILTER_CHAIN: _IN_PLACES | {*_MERGES},
    ApplyTo.NETWORK_FILTER: _IN_PLACES | {Operation.REPLACE, Operation.MERGE},
    ApplyTo.HTTP_FILTER: _IN_PLACES | {Operation.REPLACE, Operation.MERGE},
    ApplyTo.ROUTE_CONFIGURATION: frozenset(_MERGES),
    ApplyTo.VIRTUAL_HOST: _IN_PLACES | {Operation.REPLACE, *_MERGES},
    ApplyTo.HTTP_ROUTE: _IN_PLACES | {*_MERGES},
    ApplyTo.CLUSTER: _IN_PLACES | {*_MERGES},
}


def invalid(each: Object[EnvoyFilterSpec]) -> Iterator[Problem]:
    """What istiod refuses, what it passes over, and what is not translated."""
    at = spec(each)
    yield from selectors.invalid(at / "workloadSelector", each.spec.workload_selector, "labels")
    if each.spec.workload_selector and each.spec.target_refs:
        text = "workloadSelector and targetRefs cannot stand together"
        yield (at / "targetRefs").problem("MW0302", text, "say in one way what the patches are for")
    for i, target in enumerate(each.spec.target_refs):
        yield from targetrefs.target(at / "targetRefs" / i, target)
    for i, patch in enumerate(each.spec.config_patches):
        yield from _patch(at / "configPatches" / i, patch)


def misdirected(each: Object[EnvoyFilterSpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing."""
    yield from selectors.idle(spec(each) / "workloadSelector", each.spec.workload_selector, names)
    for i, target in enumerate(each.spec.target_refs):
        yield from targetrefs.missing(spec(each) / "targetRefs" / i, target, names)


def _patch(at: Spot, given: ConfigPatch) -> Iterator[Problem]:
    match = given.match or ObjectMatch()
    if match.context is PatchContext.WAYPOINT:
        text = "there are no waypoints, which this patch is for"
        yield (at / "match" / "context").problem("MW0106", text, "use GATEWAY or SIDECAR_INBOUND")
    if given.apply_to is ApplyTo.INVALID:
        yield at.problem("MW0302", "nothing says what is patched", "give applyTo")
    elif given.apply_to in _UNTRANSLATED:
        text = f"applyTo {given.apply_to} is part of Istio's API, but meshwright does not translate it"
        yield (at / "applyTo").problem("MW0102", text, "patch the filter or cluster itself")
    else:
        yield from _operation(at, given)
        yield from _meant(at, given)
        yield from _objects(at / "match", given.apply_to, match)
    yield from _proxy(at / "match" / "proxy", match)


def _operation(at: Spot, given: ConfigPatch) -> Iterator[Problem]:
    patch = given.patch
    if patch is None or patch.operation is Operation.INVALID:
        yield at.problem("MW0302", "nothing says what the patch does", "give patch with operation")
        return
    if patch.value is None and patch.operation is not Operation.REMOVE:
        yield (at / "patch").problem("MW0302", f"{patch.operation} needs a value", "give value")
    if patch.value is not None and not isinstance(patch.value, dict):
        yield (at / "patch" / "value").problem("MW0103", "expected a mapping", "write it as key: value")
    if patch.operation not in _DONE[given.apply_to]:
        text = f"istiod passes over {patch.operation} of a {given.apply_to}"
        known = ", ".join(sorted(_DONE[given.apply_to]))
        yield (at / "patch" / "operation").problem("MW0106", text, f"use one of: {known}")
    if patch.filter_class is not FilterClass.UNSPECIFIED:
        text = "istiod does not look at filterClass"
        yield (at / "patch" / "filterClass").problem("MW0106", text, "use INSERT_BEFORE or INSERT_FIRST")


def _meant(at: Spot, given: ConfigPatch) -> Iterator[Problem]:
    """A merge must say which filter it is for: istiod would try all, and give up at the first of another type."""
    chain = given.match.listener.filter_chain if given.match and given.match.listener else None
    named = chain.filter if chain else None
    inner = given.apply_to is ApplyTo.HTTP_FILTER
    merges = given.patch is not None and given.patch.operation is Operation.MERGE
    unnamed = named is None or (inner and named.sub_filter is None)
    if merges and unnamed and given.apply_to in _FILTERS:
        wanted = "filter and subFilter" if inner else "filter"
        text = f"MERGE of a {given.apply_to} needs to say which one"
        yield (at / "patch" / "operation").problem("MW0302", text, f"match by listener.filterChain.{wanted}")


def _objects(at: Spot, apply_to: ApplyTo, match: ObjectMatch) -> Iterator[Problem]:
    """Whether what is matched is of the kind that is patched."""
    wanted = "listener" if apply_to in _OF_LISTENERS else "routeConfiguration"
    wanted = "cluster" if apply_to is ApplyTo.CLUSTER else wanted
    given: dict[str, Any] = {
        "listener": match.listener,
        "routeConfiguration": match.route_configuration,
        "cluster": match.cluster,
        "waypoint": match.waypoint,
    }
    for name, value in given.items():
        if value is not None and name != wanted:
            text = f"a patch of {apply_to} cannot match by {name}"
            yield (at / name).problem("MW0302", text, f"use {wanted}")
    yield from _filter(at / "listener" / "filterChain" / "filter", apply_to, match)
    if match.listener and match.listener.listener_filter:
        text = f"a patch of {apply_to} does not look at listenerFilter"
        yield (at / "listener" / "listenerFilter").problem("MW0106", text, "remove it")
    if match.listener and match.listener.port_name:
        text = "istiod does not look at the portName of a listener"
        yield (at / "listener" / "portName").problem("MW0106", text, "use portNumber")


def _filter(at: Spot, apply_to: ApplyTo, match: ObjectMatch) -> Iterator[Problem]:
    chain = match.listener.filter_chain if match.listener else None
    if chain is None or chain.filter is None:
        return
    if apply_to in (ApplyTo.LISTENER, ApplyTo.FILTER_CHAIN):
        yield at.problem("MW0106", f"a patch of {apply_to} does not look at filters", "remove it")
    if not chain.filter.name:
        yield at.problem("MW0302", "the filter to match has no name", "give name")
    inner = chain.filter.sub_filter
    if inner is None:
        return
    if apply_to is not ApplyTo.HTTP_FILTER:
        yield (at / "subFilter").problem(
            "MW0302", "only a patch of HTTP_FILTER can match by subFilter", "remove it"
        )
    elif chain.filter.name not in _MANAGERS:
        text = f"only {_MANAGERS[0]} has filters inside"
        yield (at / "name").problem("MW0302", text, f"name {_MANAGERS[0]}")
    elif not inner.name:
        yield (at / "subFilter").problem("MW0302", "the filter to match has no name", "give name")


def _proxy(at: Spot, match: ObjectMatch) -> Iterator[Problem]:
    version = match.proxy.proxy_version if match.proxy else ""
    if len(version) > _LONGEST_VERSION:
        text = f"istiod reads no proxyVersion of more than {_LONGEST_VERSION} characters"
        yield (at / "proxyVersion").problem("MW0106", f"{text}, and the patch is for no proxy", "shorten it")
    elif version and (reason := mistake(version)):
        yield (at / "proxyVersion").problem("MW0303", reason, "write RE2, as in ^1\\.31.*")
