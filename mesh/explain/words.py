"""An Answer as lines for a person: (label, text, place) of each, in the order in which they matter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from mesh.explain.answer import Answer, Destination, Verdict
from mesh.explain.places import Source
from mesh.simulate.trace import Limits, Outlier, Retries

PASSED_OVER: Final = "passed over"


@dataclass(frozen=True)
class Line:
    """``at`` is the file and line of what is said; ``bad``: it is why a request does not get through."""

    label: str
    text: str
    at: str = ""
    bad: bool = False


def lines(answer: Answer) -> Iterator[Line]:
    """What to print below the verdict."""
    if answer.verdict is not Verdict.ALLOWED:
        yield Line("why", _why(answer), answer.hint.at if answer.hint else "", bad=True)
    yield from _rules(answer.destinations)
    if answer.route:
        yield _sourced("route", answer.route)
    for name, why in answer.passed:
        yield Line("", f"{PASSED_OVER} {name or 'an unnamed route'}: it asks for {why}")
    for i, each in enumerate(answer.destinations):
        yield Line("goes to" if not i else "", _destination(each), bad=each.verdict is not Verdict.ALLOWED)
    for mirror in answer.mirrors:
        yield Line("mirror", f"{_percent(mirror.share)} copied to {_host(mirror.host, mirror.subset)}")
    if answer.note:
        yield Line("note", answer.note)
    if answer.unread:
        yield Line("unknown", f"filters that may change this: {', '.join(answer.unread)}")
    yield from _faults(answer)
    if answer.verdict in (Verdict.ALLOWED, Verdict.DIVIDED):
        yield from _when_it_fails(answer)
    for text in answer.differs:
        yield Line("differs", text, bad=True)


def _when_it_fails(answer: Answer) -> Iterator[Line]:
    if answer.routed:
        yield Line("fails", _failing(answer.retries, answer.timeout))
    yield from _shaped(answer.destinations)


def headline(answer: Answer) -> str:
    return f"{answer.source} -> {answer.to}  {answer.request}".rstrip()


def _why(answer: Answer) -> str:
    status = f" ({answer.status})" if answer.status else ""
    hint = f", by {answer.hint.what}" if answer.hint else ""
    return f"{answer.reason}{status}{hint}"


def _rules(destinations: Iterable[Destination]) -> Iterator[Line]:
    """Each rule once, whichever destinations it decided for."""
    found = list(destinations)
    for source in dict.fromkeys(source for each in found for source in each.by):
        yield _sourced("by", source)
    if any(
        each.verdict is Verdict.ALLOWED and not each.by and each.workload and each.mutual for each in found
    ):
        yield Line("by", "no policy selects it: anybody in the mesh may call")
    for near in dict.fromkeys(near for each in found for near in each.near):
        whom = "allows this caller, but asks for" if near.caller else "allows this request, but asks for"
        yield Line("nearly", f"{near.rule.what} {whom} {near.wanted}", near.rule.at)


def _destination(each: Destination) -> str:
    where = each.workload or _host(each.host, each.subset)
    endpoints = f"{each.endpoints} endpoint{'' if each.endpoints == 1 else 's'}"
    how = "mTLS" if each.mutual else "plaintext"
    verdict = "" if each.verdict is Verdict.ALLOWED else f", {each.verdict}: {each.reason}"
    return f"{_percent(each.share):>4}  {where}  {endpoints}, {how}{verdict}"


def _host(host: str, subset: str) -> str:
    return f"{host} {subset}".strip()


def _failing(retries: Retries | None, timeout: float | None) -> str:
    whole = f"{timeout:g} s in all" if timeout else "no timeout but the caller's own"
    if retries is None:
        return f"one attempt, {whole}"
    codes = f" and {', '.join(map(str, retries.codes))}" if retries.codes else ""
    each = f" of {retries.each:g} s" if retries.each else ""
    return f"{retries.attempts} attempts{each} on {retries.on.strip(',')}{codes}; {whole}"


def _faults(answer: Answer) -> Iterator[Line]:
    fault = answer.fault
    if fault and fault.delayed:
        yield Line("fault", f"{_percent(fault.delayed)} delayed by {fault.delay:g} s")
    if fault and fault.aborted:
        kind = "gRPC status" if fault.grpc else "HTTP status"
        yield Line("fault", f"{_percent(fault.aborted)} aborted with {kind} {fault.status}", bad=True)


def _shaped(destinations: Iterable[Destination]) -> Iterator[Line]:
    """Limits and outlier detection, once where all destinations have the same."""
    found = [(each.limits, each.outlier, each.shaped) for each in destinations]
    for limits, outlier, source in dict.fromkeys(found):
        at = source.at if source else ""
        if outlier:
            yield Line("ejected", _ejected(outlier), at)
        if limits != Limits():
            yield Line("limits", _limits(limits), at)


def _ejected(outlier: Outlier) -> str:
    counts = ((outlier.errors, "5xx"), (outlier.gateway_errors, "gateway"))
    after = " or ".join(f"{count} {what} errors" for count, what in counts if count)
    return (
        f"an endpoint after {after} in a row, for {outlier.seconds:g} s, at most {outlier.percent}% of them"
    )


def _limits(limits: Limits) -> str:
    found = {
        "connections": limits.connections,
        "requests": limits.requests,
        "waiting": limits.pending,
        "retries at once": limits.retries,
    }
    return ", ".join(f"{count} {what}" for what, count in found.items() if count)


def _percent(share: float) -> str:
    return f"{share * 100:.4g}%"


def _sourced(label: str, source: Source) -> Line:
    return Line(label, source.what, source.at)
