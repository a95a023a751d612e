"""Expected against an Answer: what differs, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from mesh.explain.answer import Answer, Destination, Verdict
from mesh.explain.places import Source
from mesh.suite.case import Expected, Sent
from mesh.suite.share import CLOSE, percent, shown

#: What ``by`` calls a refusal that no rule decided.
NO_RULE = "no rule"


@dataclass(frozen=True)
class Difference:
    """One field that is not as expected."""

    field: str
    expected: str
    got: str


def differences(expected: Expected, answer: Answer) -> list[Difference]:
    """Nothing when the answer is as expected.

    Where the verdict is another, what it leads to is not worth saying.
    """
    return list(_verdict(expected, answer)) or [
        *_by(expected, answer),
        *_route(expected, answer),
        *_shares(expected, answer),
        *_failing(expected, answer),
        *_sent(expected.sent, answer),
    ]


def deciders(answer: Answer) -> list[Source]:
    """The rules, or the Sidecar, by which a request was let through or not."""
    found = [source for each in answer.destinations for source in each.by]
    return list(dict.fromkeys([*found, *([answer.hint] if answer.hint else [])]))


def _verdict(expected: Expected, answer: Answer) -> Iterator[Difference]:
    if expected.verdict != answer.verdict:
        yield Difference("verdict", expected.verdict, answer.verdict)
        return
    if expected.status is not None and expected.status != answer.status:
        yield Difference("status", str(expected.status), str(answer.status))
    if expected.mtls is not None:
        for each in answer.destinations:
            if each.mutual != expected.mtls:
                yield Difference("mtls", _truth(expected.mtls), f"{_truth(each.mutual)} to {_name(each)}")


def _by(expected: Expected, answer: Answer) -> Iterator[Difference]:
    if expected.by is None:
        return
    names = [source.what for source in deciders(answer)]
    if not names and answer.verdict is Verdict.REFUSED:
        names = [NO_RULE]
    if not any(_named(expected.by, name) for name in names):
        yield Difference("by", expected.by, ", ".join(names) or "nothing")


def _named(wanted: str, name: str) -> bool:
    """``orders-to-catalog``, ``shop/orders-to-catalog`` and ``AuthorizationPolicy shop/orders-to-catalog rule 0`` are one."""
    kind, _, rest = name.partition(" ")
    short = rest.partition("/")[2] or rest
    return any(
        text == wanted or text.startswith(f"{wanted} ") for text in (name, rest, short, f"{kind} {short}")
    )


def _route(expected: Expected, answer: Answer) -> Iterator[Difference]:
    if expected.route is None:
        return
    got = answer.route.what if answer.route else "none"
    if not (_named(expected.route, got) or got.endswith(f" {expected.route}")):
        yield Difference("route", expected.route, got)


def _shares(expected: Expected, answer: Answer) -> Iterator[Difference]:
    got: dict[str, float] = {}
    for each in answer.destinations:
        got[_name(each)] = got.get(_name(each), 0) + each.share
    yield from _compared("shares", expected.shares, got)
    mirrors = {f"{each.host} {each.subset}".strip(): each.share for each in answer.mirrors}
    yield from _compared("mirrors", expected.mirrors, mirrors)


def _compared(field: str, wanted: Mapping[str, int | str], got: Mapping[str, float]) -> Iterator[Difference]:
    """Shares by name; what is not named must get nothing."""
    if not wanted:
        return
    rest = dict(got)
    for name, text in wanted.items():
        share = percent(text) or 0.0
        mine = {each for each in rest if _is(name, each)}
        total = sum(rest.pop(each) for each in mine)
        if abs(total - share) > CLOSE:
            yield Difference(f"{field} {name}", shown(share), shown(total))
    for name, share in rest.items():
        if share > CLOSE:
            yield Difference(f"{field} {name}", "nothing", shown(share))


def _name(each: Destination) -> str:
    return each.workload or f"{each.host} {each.subset}".strip()


def _is(wanted: str, name: str) -> bool:
    """A workload without its namespace, a host by its first label."""
    host, _, subset = name.partition(" ")
    short = f"{host.partition('.')[0]} {subset}".strip()
    return wanted in (name, name.partition("/")[2], short)


def _failing(expected: Expected, answer: Answer) -> Iterator[Difference]:
    retries = answer.retries
    attempts = retries.attempts if retries else 1
    if expected.attempts is not None and expected.attempts != attempts:
        yield Difference("attempts", str(expected.attempts), str(attempts))
    each = retries.each if retries else None
    if expected.per_try is not None and _seconds(expected.per_try) != (each or 0.0):
        yield Difference("perTry", _time(_seconds(expected.per_try)), _time(each))
    if expected.timeout is not None and _seconds(expected.timeout) != (answer.timeout or 0.0):
        yield Difference("timeout", _time(_seconds(expected.timeout)), _time(answer.timeout))


def _sent(expected: Sent | None, answer: Answer) -> Iterator[Difference]:
    """What is expected of the request must be true of every share of it."""
    if expected is None:
        return
    for each in answer.destinations:
        got = each.sent
        for name, value in (("path", expected.path), ("authority", expected.authority)):
            found = getattr(got, name) if got else ""
            if value is not None and value != found:
                yield Difference(f"sent {name}", value, f"{found or 'none'} to {_name(each)}")
        for name, value in expected.headers.items():
            there = got.headers.get(name.lower()) if got else None
            if there != value:
                yield Difference(f"sent header {name}", value, f"{there or 'none'} to {_name(each)}")


def _seconds(given: timedelta) -> float:
    return given.total_seconds()


def _time(seconds: float | None) -> str:
    return f"{seconds:g}s" if seconds else "none"


def _truth(value: bool) -> str:
    return str(value).lower()
