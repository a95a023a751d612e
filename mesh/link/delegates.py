"""VirtualServices that delegate: each such route is replaced by the routes of the VirtualService that it names, narrowed by its own.

Source: pilot/pkg/model/virtualservice.go, MergeHTTPRoutes, and virtualservice_controller.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from mesh.model.mesh import Config
from mesh.resources.istio.shared import StringMatch
from mesh.resources.istio.virtualservice import Delegate, HTTPMatch, HTTPRoute, VirtualServiceSpec

VirtualService = Config[VirtualServiceSpec]
ValueT = TypeVar("ValueT")
Key = tuple[str, str]


def merged(found: Iterable[VirtualService], exports: tuple[str, ...]) -> Iterator[VirtualService]:
    """Those with hosts, their delegated routes filled in. ``exports`` holds for a VirtualService that says nothing."""
    all_ = list(found)
    delegates = {(each.namespace, each.name): each for each in all_ if not each.spec.hosts}
    for each in all_:
        if each.spec.hosts:
            yield _filled(each, delegates, exports)


def _filled(
    root: VirtualService, delegates: Mapping[Key, VirtualService], exports: tuple[str, ...]
) -> VirtualService:
    if all(route.delegate is None for route in root.spec.http):
        return root
    routes: list[HTTPRoute] = []
    for route in root.spec.http:
        if route.delegate is None:
            routes.append(route)
            continue
        delegate = delegates.get(key(route.delegate, root.namespace))
        if delegate is not None and _exported(delegate, root.namespace, exports):
            routes += [made for each in delegate.spec.http if (made := _route(route, each))]
    return replace(root, spec=replace(root.spec, http=tuple(routes)))


def key(delegate: Delegate, namespace: str) -> Key:
    """Namespace and name of what a VirtualService of ``namespace`` delegates to."""
    return delegate.namespace or namespace, delegate.name


def _exported(delegate: VirtualService, namespace: str, exports: tuple[str, ...]) -> bool:
    given = {delegate.namespace if each == "." else each for each in delegate.spec.export_to or exports}
    return not given.isdisjoint({"*", namespace})


def _route(root: HTTPRoute, own: HTTPRoute) -> HTTPRoute | None:
    """The delegate's route as far as the root's lets requests through; None where nothing is left."""
    match = _matches(root.match, own.match)
    if match is None:
        return None
    return replace(
        own,
        name="-".join(name for name in (root.name, own.name) if name),
        match=match,
        rewrite=_first(own.rewrite, root.rewrite),
        direct_response=_first(own.direct_response, root.direct_response),
        timeout=_first(own.timeout, root.timeout),
        retries=_first(own.retries, root.retries),
        fault=_first(own.fault, root.fault),
        mirror=_first(own.mirror, root.mirror),
        mirror_percent=_first(own.mirror_percent, _first(own.mirror_percent_, root.mirror_percent)),
        mirror_percent_=root.mirror_percent_,
        mirror_percentage=_first(own.mirror_percentage, root.mirror_percentage),
        mirrors=own.mirrors or root.mirrors,
        cors_policy=_first(own.cors_policy, root.cors_policy),
        headers=_first(own.headers, root.headers),
    )


def _first(own: ValueT | None, inherited: ValueT | None) -> ValueT | None:
    return own if own is not None else inherited


def _matches(root: Sequence[HTTPMatch], own: Sequence[HTTPMatch]) -> tuple[HTTPMatch, ...] | None:
    """Every match of the delegate has to fit one of the root's."""
    if not root or not own:
        return tuple(own or root)
    found: list[HTTPMatch] = []
    for each in own:
        fitting = [outer for outer in root if not _conflict(outer, each)]
        if not fitting:
            return None
        found += [_match(outer, each) for outer in fitting]
    return tuple(found)


def _match(root: HTTPMatch, own: HTTPMatch) -> HTTPMatch:
    return replace(
        own,
        name="-".join(name for name in (root.name, own.name) if name),
        uri=_first(own.uri, root.uri),
        scheme=_first(own.scheme, root.scheme),
        method=_first(own.method, root.method),
        authority=_first(own.authority, root.authority),
        headers={**root.headers, **own.headers},
        without_headers={**root.without_headers, **own.without_headers},
        query_params={**root.query_params, **own.query_params},
        port=own.port or root.port,
        source_labels={**root.source_labels, **own.source_labels},
        source_namespace=own.source_namespace or root.source_namespace,
        gateways=own.gateways or root.gateways,
        stat_prefix=own.stat_prefix or root.stat_prefix,
    )


def _conflict(root: HTTPMatch, own: HTTPMatch) -> bool:
    """Whether ``own`` takes requests that ``root`` does not, as far as istiod looks."""
    if any(_apart(*pair) for pair in _compared(root, own)):
        return True
    if root.ignore_uri_case != own.ignore_uri_case or (root.port and own.port and root.port != own.port):
        return True
    if root.source_namespace and own.source_namespace != root.source_namespace:
        return True
    if any(root.source_labels.get(key, value) != value for key, value in own.source_labels.items()):
        return True
    both = bool(root.gateways and own.gateways)
    wider = len(root.gateways) < len(own.gateways) or not set(own.gateways) <= set(root.gateways)
    return both and wider


def _compared(root: HTTPMatch, own: HTTPMatch) -> Iterator[tuple[StringMatch | None, StringMatch | None]]:
    yield root.uri, own.uri
    yield root.scheme, own.scheme
    yield root.method, own.method
    yield root.authority, own.authority
    for outer, inner in (
        (root.headers, own.headers),
        (root.without_headers, own.without_headers),
        (root.query_params, own.query_params),
    ):
        yield from ((outer.get(key), value) for key, value in inner.items())


def _apart(root: StringMatch | None, own: StringMatch | None) -> bool:
    """Whether ``own`` is not plainly a part of ``root``. Regular expressions are not compared."""
    if root is None or own is None:
        return False
    if root.regex or own.regex:
        return True
    if root.exact:
        return bool(own.prefix) or own.exact != root.exact
    if root.prefix and (own.prefix or own.exact):
        return not str(own.prefix or own.exact).startswith(root.prefix)
    return True
