"""Limits of connections and requests: what istiod refuses. Source: istio validation.go, validateConnectionPool."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.spot import Spot
from mesh.resources.istio.destinationrule import ConnectionPool, HTTPSettings, UpgradePolicy
from mesh.resources.problem import Problem


def invalid(at: Spot, pool: ConnectionPool | None) -> Iterator[Problem]:
    """What istiod refuses."""
    if pool is None:
        return
    if pool.http is None and pool.tcp is None:
        yield at.problem("MW0302", "this connection pool says nothing", "give tcp or http")
    if pool.http:
        yield from _http(at / "http", pool.http)


def _http(at: Spot, http: HTTPSettings) -> Iterator[Problem]:
    if http.use_client_protocol and http.h2_upgrade_policy is UpgradePolicy.UPGRADE:
        text = "useClientProtocol and h2UpgradePolicy: UPGRADE cannot stand together"
        yield (at / "useClientProtocol").problem("MW0302", text, "keep one")
    keepalive = http.http2_keep_alive
    if keepalive and (keepalive.interval is None or keepalive.timeout is None):
        text = "a keepalive needs interval and timeout"
        yield (at / "http2KeepAlive").problem("MW0302", text, "give both")
