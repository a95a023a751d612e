"""A trace -> an Answer: whose endpoints, by which rule and line, and why not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from mesh.explain import places
from mesh.explain.answer import Answer, Destination, Mirror, Near, Onward, Verdict
from mesh.explain.places import Source
from mesh.explain.question import Asked
from mesh.explain.scene import Scene
from mesh.model.mesh import Mesh
from mesh.simulate.call import call
from mesh.simulate.request import Request
from mesh.simulate.trace import Arrival, Check, Limits, Outcome, Pass, Share, Trace

_VERDICT = {
    Outcome.FORWARDED: Verdict.ALLOWED,
    Outcome.ANSWERED: Verdict.ANSWERED,
    Outcome.REFUSED: Verdict.REFUSED,
    Outcome.UNROUTED: Verdict.UNROUTED,
    Outcome.UNREACHABLE: Verdict.UNREACHABLE,
}
_BLOCKED = "block_all"
_BLOCKED_BYTES = "lets nothing else out"


def answer(asked: Asked, scene: Scene) -> Answer:
    """What the proxies of a scene do with what is asked."""
    trace = call(scene.proxy(asked.workload), asked.connection, asked.request, scene.find)
    out, mesh = trace.outbound, scene.mesh
    destinations = tuple(_destinations(mesh, trace))
    verdict, status, reason = _verdict(trace, destinations)
    scoped = out.virtual_host == _BLOCKED or out.reason.endswith(_BLOCKED_BYTES) or not out.listener
    outside = scoped and verdict is not Verdict.ALLOWED
    route = out.route
    return Answer(
        source=f"{asked.workload.namespace}/{asked.workload.owner}",
        identity=asked.workload.identity.principal,
        to=f"{asked.host}:{asked.port}",
        request=f"{asked.request.method} {asked.request.path}" if asked.request else "",
        verdict=Verdict.UNREACHABLE if outside else verdict,
        status=status,
        reason=f"{asked.host} is outside the scope of {asked.workload.owner}" if outside else reason,
        hint=places.sidecar(mesh, asked.workload) if outside else None,
        route=places.route(mesh, route) if route else None,
        passed=tuple((each.name, each.why) for each in route.passed) if route else (),
        destinations=destinations,
        timeout=route.timeout if route else None,
        retries=route.retries if route else None,
        fault=route.fault if route else None,
        mirrors=tuple(_mirror(each) for each in route.mirrors) if route else (),
        unread=tuple(dict.fromkeys(_unread(trace))),
        note=asked.note,
        routed=out.http and out.outcome is Outcome.FORWARDED,
    )


def _verdict(trace: Trace, found: Sequence[Destination]) -> tuple[Verdict, int, str]:
    out = trace.outbound
    if out.outcome is not Outcome.FORWARDED:
        return _VERDICT[out.outcome], out.status, out.reason
    verdicts = {each.verdict for each in found}
    if len(verdicts) == 1:
        (verdict,) = verdicts
        return verdict, _status(trace, verdict), found[0].reason
    return Verdict.DIVIDED, 0, "; ".join(f"{each.workload}: {each.verdict}" for each in found)


def _status(trace: Trace, verdict: Verdict) -> int:
    """What the caller sees: what the other side answers, or 503 where its own side gets nowhere."""
    if not trace.outbound.http or verdict is Verdict.ALLOWED:
        return 0
    there = next((each.inbound for each in trace.arrivals if each.inbound), None)
    return 503 if verdict is Verdict.UNREACHABLE or there is None else there.status


def _destinations(mesh: Mesh, trace: Trace) -> Iterable[Destination]:
    shares = {share.name: share for share in trace.outbound.shares}
    groups: dict[tuple[str, str], list[Arrival]] = {}
    for each in trace.arrivals:
        groups.setdefault((each.cluster, _owner(mesh, each)), []).append(each)
    for (name, owner), arrivals in groups.items():
        yield _destination(mesh, owner, arrivals, shares[name])


def _owner(mesh: Mesh, arrival: Arrival) -> str:
    found = mesh.workload_by_proxy.get(arrival.at)
    return f"{found.namespace}/{found.owner}" if found else ""


def _destination(mesh: Mesh, owner: str, arrivals: Sequence[Arrival], share: Share) -> Destination:
    first = arrivals[0]
    host, subset = _named(share.name)
    there = first.inbound
    checks = [check for check in there.checks if not check.trial] if there else []
    cluster = share.cluster
    return Destination(
        share=sum(each.share for each in arrivals),
        workload=owner or (first.endpoint.address if first.endpoint else ""),
        host=host,
        subset=subset,
        endpoints=sum(each.endpoint is not None for each in arrivals),
        mutual=bool(there and there.mutual and there.outcome is not Outcome.UNREACHABLE),
        verdict=_VERDICT[there.outcome] if there else Verdict.ALLOWED,
        reason=_reason(there, checks),
        by=tuple(_by(mesh, first, checks)),
        near=tuple(_near(mesh, checks)),
        limits=cluster.limits if cluster else Limits(),
        outlier=cluster.outlier if cluster else None,
        shaped=places.resource(mesh, cluster.config) if cluster else None,
        sent=_onward(share.sent),
    )


def _onward(sent: Request | None) -> Onward | None:
    return Onward(sent.authority, sent.path, sent.headers) if sent else None


def _reason(there: Pass | None, checks: Sequence[Check]) -> str:
    if there is None:
        return "no proxy of the mesh answers there"
    if there.outcome is Outcome.REFUSED and checks:
        return "no rule allows it" if checks[-1].action == "ALLOW" else "a rule denies it"
    if there.outcome is Outcome.FORWARDED and not checks:
        return "no policy selects it: anybody may call"
    return there.reason


def _by(mesh: Mesh, arrival: Arrival, checks: Sequence[Check]) -> Iterable[Source]:
    """What decided about the token, if one was looked at, and about the call."""
    token, there = arrival.inbound.token if arrival.inbound else None, mesh.workload_by_proxy.get(arrival.at)
    if token and there and (source := places.token(mesh, there, token.issuer)):
        yield source
    yield from (places.rule(mesh, name) for name in _deciding(checks))


def _deciding(checks: Sequence[Check]) -> list[str]:
    """The rules that denied, else those that allowed."""
    if not checks:
        return []
    last = checks[-1]
    return [rule.name for rule in last.rules if rule.matched] if last.action != "LOG" else []


def _near(mesh: Mesh, checks: Sequence[Check]) -> Iterable[Near]:
    """Rules for this caller first, then those for this request."""
    if not checks or checks[-1].passed or checks[-1].action != "ALLOW":
        return
    half = [rule for rule in checks[-1].rules if rule.caller != rule.request]
    for each in sorted(half, key=lambda rule: not rule.caller):
        yield Near(places.rule(mesh, each.name), each.caller, each.wanted)


def _mirror(share: Share) -> Mirror:
    return Mirror(share.share, *_named(share.name))


def _named(cluster: str) -> tuple[str, str]:
    """(host, subset) of ``outbound|PORT|SUBSET|HOST``; another cluster's own name."""
    parts = cluster.split("|")
    return (parts[3], parts[2]) if len(parts) == 4 else (cluster, "")


def _unread(trace: Trace) -> Iterable[str]:
    yield from trace.outbound.unread
    for each in trace.arrivals:
        yield from each.inbound.unread if each.inbound else ()
