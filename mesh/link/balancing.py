"""How a DestinationRule spreads requests: what istiod refuses. Source: istio validation.go, validateLoadBalancer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.destinationrule import ConsistentHash, LoadBalancer, Warmup
from mesh.resources.problem import Problem

_LARGEST_MAGLEV: Final = 5_000_011


def invalid(at: Spot, balancer: LoadBalancer | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if balancer is None:
        return
    if balancer.simple is not None and balancer.consistent_hash is not None:
        yield at.problem("MW0302", "simple and consistentHash cannot stand together", "keep one")
    if balancer.consistent_hash:
        yield from _hash(at / "consistentHash", balancer.consistent_hash)
    if balancer.warmup:
        yield from _warmup(at / "warmup", balancer.warmup)


def _hash(at: Spot, given: ConsistentHash) -> Iterator[Problem]:
    keys = [given.http_header_name, given.http_cookie, given.use_source_ip, given.http_query_parameter_name]
    fix = "give one of httpHeaderName, httpCookie, useSourceIp and httpQueryParameterName"
    if not any(keys):
        yield at.problem("MW0302", "a hash needs a key; without one requests go anywhere", fix)
    if sum(map(bool, keys)) > 1:
        yield at.problem("MW0302", "a hash has one key", fix)
    algorithms = {
        "ringHash": given.ring_hash,
        "maglev": given.maglev,
        "minimumRingSize": given.minimum_ring_size,
    }
    chosen = [name for name, value in algorithms.items() if value]
    if len(chosen) > 1:
        yield at.problem("MW0302", f"{' and '.join(chosen)} cannot stand together", "keep one")
    if given.http_cookie and not given.http_cookie.name:
        yield (at / "httpCookie" / "name").problem("MW0302", "the cookie has no name", "give name")
    size = given.maglev.table_size if given.maglev else None
    if size is not None and (size >= _LARGEST_MAGLEV or not _prime(size)):
        text = f"maglev's table size {size} is not a prime below {_LARGEST_MAGLEV}"
        yield (at / "maglev" / "tableSize").problem("MW0304", text, "65537 is the usual one")


def _warmup(at: Spot, warmup: Warmup) -> Iterator[Problem]:
    if warmup.duration is None:
        yield at.problem("MW0302", "this warmup has no duration", "give duration, as in 30s")
    least = warmup.minimum_percent
    if least is not None and not 0 <= least <= 100:
        yield (at / "minimumPercent").problem("MW0304", f"{least:g} is not a percentage", "use 0 to 100")
    if warmup.aggression is not None and warmup.aggression <= 0:
        text = f"an aggression of {warmup.aggression:g} never warms anything up"
        yield (at / "aggression").problem("MW0304", text, "use more than 0; 1 is linear")


def _prime(n: int) -> bool:
    """As Envoy's Primes::isPrime has it."""
    return n > 0 and all(n % factor for factor in range(2, int(n**0.5) + 1))
