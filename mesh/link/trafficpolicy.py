"""A DestinationRule's traffic policy: what istiod refuses. Source: istio validation.go, validateTrafficPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.spot import Spot
from mesh.resources.istio.destinationrule import (
    ConsistentHash,
    LoadBalancer,
    OutlierDetection,
    PortTrafficPolicy,
    TrafficPolicy,
)
from mesh.resources.problem import Problem

_LARGEST_MAGLEV: Final = 5_000_011
_NOTHING: Final = "this traffic policy says nothing"


def invalid(at: Spot, policy: TrafficPolicy) -> Iterator[Problem]:
    """What istiod refuses."""
    if policy == TrafficPolicy():
        yield at.problem("MW0302", _NOTHING, "give a field, or remove it")
    yield from _settings(at, policy)
    for i, port in enumerate(policy.port_level_settings):
        here = at / "portLevelSettings" / i
        if not 0 < port.port.number < 65536:
            yield (here / "port").problem("MW0304", f"{port.port.number} is not a port", "use 1 to 65535")
        if port == PortTrafficPolicy(port=port.port):
            yield here.problem("MW0302", _NOTHING, "give a field, or remove it")
        yield from _settings(here, port)


def _settings(at: Spot, policy: TrafficPolicy | PortTrafficPolicy) -> Iterator[Problem]:
    pool = policy.connection_pool
    if pool and pool.http is None and pool.tcp is None:
        yield (at / "connectionPool").problem(
            "MW0302", "this connection pool says nothing", "give tcp or http"
        )
    if policy.outlier_detection:
        yield from _outlier(at / "outlierDetection", policy.outlier_detection)
    if policy.load_balancer:
        yield from _balancer(at / "loadBalancer", policy.load_balancer)


def _outlier(at: Spot, outlier: OutlierDetection) -> Iterator[Problem]:
    percents = {
        "maxEjectionPercent": outlier.max_ejection_percent,
        "minHealthPercent": outlier.min_health_percent,
    }
    for field, percent in percents.items():
        if percent > 100:
            yield (at / field).problem("MW0304", f"{percent} is not a percentage", "use 0 to 100")
    if outlier.consecutive_local_origin_failures and not outlier.split_external_local_origin_errors:
        text = "consecutiveLocalOriginFailures counts only with splitExternalLocalOriginErrors"
        yield (at / "consecutiveLocalOriginFailures").problem("MW0302", text, "set that to true")


def _balancer(at: Spot, balancer: LoadBalancer) -> Iterator[Problem]:
    if balancer.simple is not None and balancer.consistent_hash is not None:
        yield at.problem("MW0302", "simple and consistentHash cannot stand together", "keep one")
    if balancer.consistent_hash:
        yield from _hash(at / "consistentHash", balancer.consistent_hash)


def _hash(at: Spot, given: ConsistentHash) -> Iterator[Problem]:
    keys = [given.http_header_name, given.http_cookie, given.use_source_ip, given.http_query_parameter_name]
    if sum(map(bool, keys)) > 1:
        yield at.problem(
            "MW0302", "a hash has one key", "keep one of header, cookie, address and query parameter"
        )
    if given.ring_hash and given.maglev:
        yield at.problem("MW0302", "ringHash and maglev cannot stand together", "keep one")
    if given.http_cookie and not given.http_cookie.name:
        yield (at / "httpCookie").problem("MW0302", "the cookie has no name", "give name")
    size = given.maglev.table_size if given.maglev else None
    if size is not None and (size >= _LARGEST_MAGLEV or not _prime(size)):
        text = f"maglev's table size {size} is not a prime below {_LARGEST_MAGLEV}"
        yield (at / "maglev" / "tableSize").problem("MW0304", text, "65537 is the usual one")


def _prime(n: int) -> bool:
    return n > 1 and all(n % factor for factor in range(2, int(n**0.5) + 1))
