"""How host names with a leading ``*`` cover one another: istiod's pkg/config/host, rule for rule.

Used by scope (what a proxy imports), rules (which DestinationRule) and the routes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

ValueT = TypeVar("ValueT")


def wildcard(host: str) -> bool:
    return host.startswith("*")


def matches(a: str, b: str) -> bool:
    """Whether the two have a name in common: one covers the other."""
    return subset(a, b) or subset(b, a)


def subset(a: str, b: str) -> bool:
    """Whether every name that ``a`` covers is covered by ``b``."""
    if not wildcard(b):
        return a == b
    if wildcard(a):
        return len(a) >= len(b) and a[1:].endswith(b[1:])
    return a.endswith(b[1:])


def most_specific(host: str, rules: Mapping[str, ValueT]) -> ValueT | None:
    """What applies to a host: its own entry, else that of the longest ``*`` suffix that covers it."""
    if host in rules:
        return rules[host]
    covering = [name for name in rules if wildcard(name) and host.removeprefix("*").endswith(name[1:])]
    return rules[min(covering, key=lambda name: (-len(name), name))] if covering else None


def intersection(a: Iterable[str], b: Sequence[str]) -> list[str]:
    """The names that both cover, the narrower of each pair, without repetition."""
    found = [x if subset(x, y) else y for x in a for y in b if matches(x, y)]
    return list(dict.fromkeys(found))


def in_namespace(hosts: Iterable[str], namespace: str) -> list[str]:
    """A Gateway's hosts (``namespace/host``, ``*/host`` or ``host``) that a namespace may use, without their prefix."""
    split = [host.rpartition("/") for host in hosts]
    return [name for owner, _, name in split if owner in ("", "*", namespace)]
