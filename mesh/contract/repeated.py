"""Retries that a contract does not bear: methods that must not be repeated, tries that do not fit into the time, and retries of retries."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from mesh.contract import found
from mesh.contract.routed import Taken, routes
from mesh.contract.serving import Serving, behind
from mesh.model.service import Service, Workload
from mesh.resources.problem import Problem

#: Calls that one call at the front may become at the back. Two services that each try three times make nine.
MOST: Final = 9
_Key = tuple[str, str]


def repeated(serving: Serving) -> Iterator[Problem]:
    """MW0701: a method that its contract does not call idempotent is retried after it may have been handled."""
    told: set[object] = set()
    for service in serving.mesh.services:
        for contract, method in serving.methods(service.hostname):
            if method.idempotent:
                continue
            for taken in routes(serving.mesh, service, contract.path(method)):
                key = (
                    id(taken.rule),
                    taken.index,
                    service.hostname if taken.rule is None else "",
                    method.name,
                )
                if taken.repeats and key not in told:
                    told.add(key)
                    yield _repeated(service, contract.path(method), taken)


def _repeated(service: Service, path: str, taken: Taken) -> Problem:
    text = (
        f"{path} is no idempotent method, and is tried up to {taken.attempts} times, on {','.join(taken.on)}"
    )
    fix = "give its route retries: {attempts: 0}, or mark the method idempotent if it may be repeated"
    if taken.rule is None:
        return found.of(
            service, "MW0701", f"{text}: Istio's default, since no VirtualService says otherwise", fix
        )
    route = taken.rule.spec.http[taken.index]
    if route.retries is None:
        text += ": Istio's default, since the route says nothing of retries"
    place = ("spec", "http", taken.index, *(("retries",) if route.retries else ()))
    return found.at(taken.rule, place, "MW0701", text, fix)


def crowded(serving: Serving) -> Iterator[Problem]:
    """MW0702: all tries of a route together take longer than the route has."""
    for rule in serving.mesh.virtual_services:
        for i, route in enumerate(rule.spec.http):
            retries = route.retries
            if retries is None or not (retries.attempts and retries.per_try_timeout and route.timeout):
                continue
            whole = retries.per_try_timeout * (retries.attempts + 1)
            if whole > route.timeout > retries.per_try_timeout:
                text = (
                    f"{retries.attempts + 1} tries of {_seconds(retries.per_try_timeout)} take {_seconds(whole)}, "
                    f"and the call has {_seconds(route.timeout)}: the last is cut short"
                )
                path = ("spec", "http", i, "retries", "perTryTimeout")
                yield found.at(rule, path, "MW0702", text, "shorten perTryTimeout, or allow fewer attempts")


def outlasting(serving: Serving) -> Iterator[Problem]:
    """MW0703: a call is given more time than any method of the service that makes it has."""
    longest = {_key(w): time for w in serving.mesh.workloads if (time := _longest(serving, w))}
    told: set[object] = set()
    for service, taken, callers in _calls(serving):
        timeout = taken.timeout
        short = [w for w in callers if timeout and (own := longest.get(_key(w))) and own < timeout]
        if taken.rule is None or timeout is None or not short or (id(taken.rule), taken.index) in told:
            continue
        told.add((id(taken.rule), taken.index))
        names = ", ".join(sorted({w.owner for w in short}))
        text = (
            f"calls of {service.name} may take {_seconds(timeout)}, and no method of {names}, which makes them, has more than "
            f"{_seconds(min(longest[_key(w)] for w in short))}"
        )
        fix = "make the timeout shorter than that of the methods that need the call"
        yield found.at(taken.rule, ("spec", "http", taken.index, "timeout"), "MW0703", text, fix)


def multiplied(serving: Serving) -> Iterator[Problem]:
    """MW0704: retries on every hop of a chain of calls, so that one call at its front becomes many at its back."""
    hops: dict[_Key, dict[_Key, tuple[int, Taken, Service]]] = {}
    for service, taken, callers in _calls(serving):
        ends = {_key(w) for w in behind(service)}
        for start in {_key(w) for w in callers}:
            for end in ends - {start}:
                known = hops.setdefault(start, {}).get(end)
                if known is None or taken.attempts > known[0]:
                    hops[start][end] = (taken.attempts, taken, service)
    worst: dict[object, tuple[int, list[str], Taken]] = {}
    for start in sorted(hops):
        for count, names, taken in _chains(hops, start, 1, [start]):
            key = (id(taken.rule), taken.index)
            if key not in worst or count > worst[key][0]:
                worst[key] = (count, names, taken)
    for count, names, taken in worst.values():
        if taken.rule is not None:
            text = f"one call along {' -> '.join(names)} may become {count}: every hop of it is retried"
            fix = "retry at one hop, the nearest to what fails, and give the others retries: {attempts: 0}"
            yield found.at(taken.rule, ("spec", "http", taken.index, "retries"), "MW0704", text, fix)


_Hops = dict[_Key, dict[_Key, tuple[int, Taken, Service]]]


def _chains(hops: _Hops, at: _Key, count: int, path: list[_Key]) -> Iterator[tuple[int, list[str], Taken]]:
    """Chains that are just too much, with the last hop's route; no workload comes twice."""
    for end, (attempts, taken, _) in sorted(hops.get(at, {}).items()):
        if end in path or attempts == 1:
            continue
        if count * attempts > MOST:
            yield count * attempts, [owner for _, owner in (*path, end)], taken
        else:
            yield from _chains(hops, end, count * attempts, [*path, end])


def _calls(serving: Serving) -> Iterator[tuple[Service, Taken, list[Workload]]]:
    """(service, route, those who may make calls that take it), a method at a time."""
    for service in serving.mesh.services:
        for contract, method in serving.methods(service.hostname):
            if method.streams:
                continue
            callers = serving.callers(service, contract.path(method))
            for taken in routes(serving.mesh, service, contract.path(method)):
                yield service, taken, callers


def _longest(serving: Serving, workload: Workload) -> timedelta | None:
    """The longest timeout of the methods that a workload serves; None where a contract leaves one open."""
    mine = (s for s in serving.mesh.services if workload in behind(s))
    methods = [method for s in mine for _, method in serving.methods(s.hostname) if not method.streams]
    times = [method.timeout for method in methods]
    return max((t for t in times if t), default=None) if times and all(times) else None


def _key(workload: Workload) -> _Key:
    return workload.namespace, workload.owner


def _seconds(time: timedelta) -> str:
    return f"{time.total_seconds():g} s"
