"""VirtualServices: hosts made fully qualified, and every mistake that can be known before a request is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mesh.link.hosts import matches, qualified
from mesh.link.names import Names
from mesh.resources.istio.shared import Destination, StringMatch
from mesh.resources.istio.virtualservice import (
    HTTPMatch,
    HTTPRoute,
    VirtualServiceSpec,
)
from mesh.resources.object import Object
from mesh.resources.problem import Problem, Severity
from mesh.resources.tree import Path

_MILLISECOND = timedelta(milliseconds=1)


def qualify(each: Object[VirtualServiceSpec]) -> VirtualServiceSpec:
    """The spec with hosts, destinations and gateways as ``namespace/name`` fully qualified."""
    namespace, spec = each.metadata.namespace, each.spec
    gateways = tuple(g if g == "mesh" or "/" in g else f"{namespace}/{g}" for g in spec.gateways)
    return replace(
        spec,
        hosts=tuple(qualified(h, namespace) for h in spec.hosts),
        gateways=gateways or ("mesh",),
        http=tuple(_route(r, namespace) for r in spec.http),
    )


def _route(route: HTTPRoute, namespace: str) -> HTTPRoute:
    targets = tuple(replace(t, destination=_destination(t.destination, namespace)) for t in route.route)
    match = tuple(
        replace(m, gateways=tuple(g if g == "mesh" or "/" in g else f"{namespace}/{g}" for g in m.gateways))
        for m in route.match
    )
    mirror = _destination(route.mirror, namespace) if route.mirror else None
    return replace(route, route=targets, match=match, mirror=mirror)


def _destination(destination: Destination, namespace: str) -> Destination:
    return replace(destination, host=qualified(destination.host, namespace))


def check(each: Object[VirtualServiceSpec], names: Names) -> Iterator[Problem]:
    """What is wrong with one VirtualService."""
    spec = qualify(each)
    if not spec.hosts:
        yield each.problem(
            ("spec", "hosts"), "MW0306", "this VirtualService names no host", "give spec.hosts"
        )
    yield from _hosts(each, spec, names)
    for i, gateway in enumerate(spec.gateways):
        if gateway != "mesh" and gateway not in names.gateway_names:
            known = ", ".join(sorted(names.gateway_names)) or "none"
            path = ("spec", "gateways", i)
            yield each.problem(path, "MW0204", f"there is no Gateway {gateway}", f"the mesh has: {known}")
    catch_all = False
    for i, route in enumerate(spec.http):
        path = ("spec", "http", i)
        if catch_all:
            text = "no request reaches this route: an earlier one matches everything"
            yield each.problem(path, "MW0307", text, "move it up", Severity.WARNING)
        catch_all = catch_all or not route.match
        yield from _check_route(each, path, route, names)


def _hosts(each: Object[VirtualServiceSpec], spec: VirtualServiceSpec, names: Names) -> Iterator[Problem]:
    if spec.gateways != ("mesh",):
        return
    for i, host in enumerate(spec.hosts):
        if not any(matches(known, host) for known in names.hosts):
            text = (
                f"host {host} is not a service of the mesh, so that no request can meet this VirtualService"
            )
            yield each.problem(("spec", "hosts", i), "MW0201", text, names.closest_host(host))


def _check_route(each: Object[Any], path: Path, route: HTTPRoute, names: Names) -> Iterator[Problem]:
    actions = [bool(route.route), route.redirect is not None, route.direct_response is not None]
    if sum(actions) != 1:
        text = "a route needs exactly one of route, redirect and directResponse"
        yield each.problem(path, "MW0302", text, "give one")
    yield from _weights(each, path, route)
    for i, target in enumerate(route.route):
        yield from _check_destination(each, (*path, "route", i, "destination"), target.destination, names)
    if route.mirror:
        yield from _check_destination(each, (*path, "mirror"), route.mirror, names)
    yield from _durations(each, path, route)
    yield from _faults(each, path, route)
    for i, match in enumerate(route.match):
        yield from _check_match(each, (*path, "match", i), match)


def _weights(each: Object[Any], path: Path, route: HTTPRoute) -> Iterator[Problem]:
    weights = [target.weight for target in route.route]
    for i, weight in enumerate(weights):
        if weight < 0:
            yield each.problem(
                (*path, "route", i, "weight"),
                "MW0304",
                f"weight {weight} is negative",
                "weights are 0 to 100",
            )
    if len(weights) > 1 and sum(weights) != 100:
        place = next((i for i, t in enumerate(route.route) if t.weight), 0)
        text = f"the weights add up to {sum(weights)}: {' + '.join(map(str, weights))}"
        yield each.problem((*path, "route", place, "weight"), "MW0301", text, "make them add up to 100")


def _check_destination(each: Object[Any], path: Path, to: Destination, names: Names) -> Iterator[Problem]:
    service = names.hosts.get(to.host)
    if service is None:
        text = f"destination {to.host or '(no host)'} is not a service of the mesh"
        yield each.problem((*path, "host"), "MW0201", text, names.closest_host(to.host))
        return
    subsets = names.subsets.get(to.host, {})
    if to.subset and to.subset not in subsets:
        have = ", ".join(sorted(subsets)) or "none"
        text = f"no DestinationRule defines subset {to.subset!r} of {to.host}"
        yield each.problem((*path, "subset"), "MW0202", text, f"define it, or use one of: {have}")
    ports = [port.number for port in service.ports]
    if to.port and to.port.number not in ports:
        text = f"{to.host} has no port {to.port.number}"
        yield each.problem((*path, "port", "number"), "MW0205", text, f"it has: {', '.join(map(str, ports))}")


def _durations(each: Object[Any], path: Path, route: HTTPRoute) -> Iterator[Problem]:
    retries = route.retries
    given = {
        ("timeout",): route.timeout,
        ("retries", "perTryTimeout"): retries.per_try_timeout if retries else None,
    }
    for field, value in given.items():
        if value is not None and timedelta(0) < value < _MILLISECOND:
            yield each.problem(
                (*path, *field), "MW0304", f"{field[-1]} is under a millisecond", "use 1ms or more"
            )
    if retries and retries.attempts < 0:
        yield each.problem(
            (*path, "retries", "attempts"), "MW0304", "attempts is negative", "use 0 to turn retries off"
        )


def _faults(each: Object[Any], path: Path, route: HTTPRoute) -> Iterator[Problem]:
    fault = route.fault
    if fault is None:
        return
    for field, part in (("delay", fault.delay), ("abort", fault.abort)):
        if part and part.percentage and not 0 <= part.percentage.value <= 100:
            at = (*path, "fault", field, "percentage", "value")
            yield each.problem(at, "MW0304", f"{part.percentage.value} is not a percentage", "use 0 to 100")
    if fault.abort and bool(fault.abort.http_status) == bool(fault.abort.grpc_status):
        yield each.problem(
            (*path, "fault", "abort"),
            "MW0302",
            "an abort needs exactly one of httpStatus and grpcStatus",
            "give one",
        )


def _check_match(each: Object[Any], path: Path, match: HTTPMatch) -> Iterator[Problem]:
    single = {"uri": match.uri, "scheme": match.scheme, "method": match.method, "authority": match.authority}
    for field, value in single.items():
        if value is not None:
            yield from _check_string(each, (*path, field), value)
    several = {
        "headers": match.headers,
        "withoutHeaders": match.without_headers,
        "queryParams": match.query_params,
    }
    for field, values in several.items():
        for name, value in values.items():
            yield from _check_string(each, (*path, field, name), value)


def _check_string(each: Object[Any], path: Path, value: StringMatch) -> Iterator[Problem]:
    if sum(v is not None for v in (value.exact, value.prefix, value.regex)) > 1:
        yield each.problem(path, "MW0103", "give only one of exact, prefix and regex", "remove the others")
    if value.regex is not None:
        yield from check_regex(each, (*path, "regex"), value.regex)


def check_regex(each: Object[Any], path: Path, expression: str) -> Iterator[Problem]:
    """RE2 has no look-around and no back references; everything else that Python refuses RE2 refuses too."""
    unsupported = re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", expression)
    if unsupported:
        text = f"RE2 does not have {unsupported.group()}"
        yield each.problem(path, "MW0303", text, "rewrite it without look-around and back references")
        return
    try:
        re.compile(expression)
    except re.error as error:
        yield each.problem(path, "MW0303", f"not a regular expression: {error}", "mend it")
