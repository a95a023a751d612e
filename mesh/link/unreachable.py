"""Routes and matches that no request reaches, since an earlier one of the list takes every request that they would."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from mesh.link.spot import Spot
from mesh.resources.istio.shared import StringMatch
from mesh.resources.istio.virtualservice import HTTPMatch, HTTPRoute
from mesh.resources.problem import Problem


def unreachable(at: Spot, routes: Sequence[HTTPRoute]) -> Iterator[Problem]:
    """Of a VirtualService's list of routes, which Envoy tries in order. A route without a match takes every request.

    One that delegates takes only what its delegate does.
    """
    before: list[tuple[int, HTTPMatch]] = []
    for i, route in enumerate(routes):
        taken: dict[int, int] = {}
        for j, match in enumerate(route.match or (HTTPMatch(),)):
            taker = next((k for k, earlier in before if covers(earlier, match)), None)
            if taker is not None:
                taken[j] = taker
            if route.delegate is None:
                before.append((i, match))
        yield from _told(at / i, route, taken)


def _told(at: Spot, route: HTTPRoute, taken: Mapping[int, int]) -> Iterator[Problem]:
    if len(taken) == max(1, len(route.match)):
        who = ", ".join(f"http[{i}]" for i in sorted(set(taken.values())))
        text = f"no request reaches this route: {who} takes every one that it matches"
        yield at.problem("MW0307", text, "move it up, or remove it")
        return
    for j, taker in taken.items():
        text = f"no request needs this match: http[{taker}] has it already"
        yield (at / "match" / j).problem("MW0307", text, "remove it")


def covers(wide: HTTPMatch, narrow: HTTPMatch) -> bool:
    """Whether ``wide`` takes every request that ``narrow`` takes. Says no when it cannot tell."""
    return (
        _paths(wide, narrow)
        and _values(wide.scheme, narrow.scheme)
        and _values(wide.method, narrow.method)
        and _values(wide.authority, narrow.authority)
        and _named(wide.headers, narrow.headers)
        and _named(wide.query_params, narrow.query_params)
        and wide.without_headers.items() <= narrow.without_headers.items()
        and wide.port in (0, narrow.port)
        and wide.source_labels.items() <= narrow.source_labels.items()
        and wide.source_namespace in ("", narrow.source_namespace)
        and (not wide.gateways or (bool(narrow.gateways) and {*wide.gateways} >= {*narrow.gateways}))
    )


def _paths(wide: HTTPMatch, narrow: HTTPMatch) -> bool:
    if wide.uri is None or wide.uri.prefix in ("", "/") or wide.uri == StringMatch():
        return True
    if narrow.uri is None or (narrow.ignore_uri_case and not wide.ignore_uri_case):
        return False
    if wide.ignore_uri_case:
        return _values(_lower(wide.uri), _lower(narrow.uri))
    return _values(wide.uri, narrow.uri)


def _lower(value: StringMatch) -> StringMatch:
    exact, prefix = value.exact, value.prefix
    return StringMatch(exact and exact.lower(), prefix and prefix.lower(), value.regex)


def _values(wide: StringMatch | None, narrow: StringMatch | None) -> bool:
    if wide is None or wide == narrow:
        return True
    if narrow is None or wide.prefix is None:
        return False
    start = narrow.exact if narrow.exact is not None else narrow.prefix
    return start is not None and start.startswith(wide.prefix)


def _named(wide: Mapping[str, StringMatch], narrow: Mapping[str, StringMatch]) -> bool:
    return all(name in narrow and _values(value, narrow[name]) for name, value in wide.items())
