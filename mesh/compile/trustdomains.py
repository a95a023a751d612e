"""The trust domains that a policy means: the mesh's own, which ``cluster.local`` always stands for, and its aliases.

Source: pilot/pkg/security/trustdomain.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_OWN = "cluster.local"


def principals(given: Iterable[str], domains: tuple[str, ...]) -> tuple[str, ...]:
    """Each principal in every trust domain that it stands for; others as they are."""
    return tuple(name for each in given for name in _principal(each, domains))


def names(given: Iterable[str], domains: tuple[str, ...]) -> tuple[str, ...]:
    """The same of trust domains by themselves, each once."""
    return tuple(dict.fromkeys(d for each in given for d in (domains if each in domains else (each,))))


def _principal(principal: str, domains: tuple[str, ...]) -> Iterator[str]:
    domain, *rest = principal.split("/")
    if (
        len(rest) != 4
        or domain == "*"
        or not (domain == _OWN or any(_alike(domain, each) for each in domains))
    ):
        yield principal
        return
    made = (principal if _suffix(each, domain) else "/".join((each, *rest)) for each in domains)
    yield from dict.fromkeys(made)


def _alike(one: str, other: str) -> bool:
    """Whether either is the other, or a pattern that takes it in."""
    pairs = ((one, other), (other, one))
    return one == other or other == "*" or any(_prefix(a, b) or _suffix(a, b) for a, b in pairs)


def _prefix(name: str, pattern: str) -> bool:
    return pattern.endswith("*") and name.startswith(pattern.removesuffix("*"))


def _suffix(name: str, pattern: str) -> bool:
    return pattern.startswith("*") and name.endswith(pattern.removeprefix("*"))
