"""A DestinationRule's traffic policy: what istiod refuses. Source: istio validation.go, validateTrafficPolicy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link import balancing, clienttls, connectionpool
from mesh.link.hosts import is_address, is_domain
from mesh.link.spot import Spot
from mesh.resources.istio.destinationrule import (
    OutlierDetection,
    PortTrafficPolicy,
    RetryBudget,
    TrafficPolicy,
    Tunnel,
)
from mesh.resources.problem import Problem

_NOTHING: Final = "this traffic policy says nothing"


def invalid(at: Spot, policy: TrafficPolicy) -> Iterator[Problem]:
    """What istiod refuses."""
    if policy == TrafficPolicy():
        yield at.problem("MW0302", _NOTHING, "give a field, or remove it")
    if policy.tunnel and policy.proxy_protocol:
        yield at.problem("MW0302", "tunnel and proxyProtocol cannot stand together", "keep one")
    if policy.tunnel:
        yield from _tunnel(at / "tunnel", policy.tunnel)
    if policy.retry_budget:
        yield from _budget(at / "retryBudget", policy.retry_budget)
    yield from _settings(at, policy)
    for i, port in enumerate(policy.port_level_settings):
        here = at / "portLevelSettings" / i
        if not 0 < port.port.number < 65536:
            yield (here / "port").problem("MW0304", f"{port.port.number} is not a port", "use 1 to 65535")
        if port == PortTrafficPolicy(port=port.port):
            yield here.problem("MW0302", _NOTHING, "give a field, or remove it")
        yield from _settings(here, port)


def _settings(at: Spot, policy: TrafficPolicy | PortTrafficPolicy) -> Iterator[Problem]:
    yield from connectionpool.invalid(at / "connectionPool", policy.connection_pool)
    yield from balancing.invalid(at / "loadBalancer", policy.load_balancer)
    yield from clienttls.invalid(at / "tls", policy.tls)
    if policy.outlier_detection:
        yield from _outlier(at / "outlierDetection", policy.outlier_detection)


def _tunnel(at: Spot, tunnel: Tunnel) -> Iterator[Problem]:
    if tunnel.protocol not in ("", "CONNECT", "POST"):
        text = f"{tunnel.protocol!r} opens no tunnel"
        yield (at / "protocol").problem("MW0308", text, "use CONNECT or POST")
    if not (is_domain(tunnel.target_host) or is_address(tunnel.target_host)):
        text = f"{tunnel.target_host!r} is not a host name"
        yield (at / "targetHost").problem("MW0310", text, "name the server at the end of the tunnel")
    if not 0 < tunnel.target_port < 65536:
        text = f"{tunnel.target_port} is not a port"
        yield (at / "targetPort").problem("MW0304", text, "use 1 to 65535")


def _outlier(at: Spot, outlier: OutlierDetection) -> Iterator[Problem]:
    percents = {
        "maxEjectionPercent": outlier.max_ejection_percent,
        "minHealthPercent": outlier.min_health_percent,
    }
    for field, percent in percents.items():
        if percent > 100:
            yield (at / field).problem("MW0304", f"{percent} is not a percentage", "use 0 to 100")
    if outlier.consecutive_errors:
        fix = "use consecutive5xxErrors or consecutiveGatewayErrors"
        yield (at / "consecutiveErrors").problem("MW0106", "Istio ignores consecutiveErrors", fix)
    if outlier.outlier_detection_http_error_codes:
        text = "istiod does not look at outlierDetectionHttpErrorCodes"
        fix = "use consecutive5xxErrors or consecutiveGatewayErrors"
        yield (at / "outlierDetectionHttpErrorCodes").problem("MW0106", text, fix)
    if outlier.consecutive_local_origin_failures and not outlier.split_external_local_origin_errors:
        text = "consecutiveLocalOriginFailures counts only with splitExternalLocalOriginErrors"
        yield (at / "consecutiveLocalOriginFailures").problem("MW0302", text, "set that to true")


def _budget(at: Spot, budget: RetryBudget) -> Iterator[Problem]:
    if budget.percent is not None and not 0 <= budget.percent <= 100:
        text = f"{budget.percent:g} is not a percentage"
        yield (at / "percent").problem("MW0304", text, "use 0 to 100")
