"""Which route of a VirtualService a method takes, and what that route does when the call fails."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from mesh.compile.retry import retry_policy
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Service
from mesh.resources.istio.virtualservice import HTTPMatch, HTTPRoute, VirtualServiceSpec

Rule = Config[VirtualServiceSpec]
#: Nothing of the request was handled when these happen, so that any method may be tried again (Envoy's router filter).
HARMLESS: Final = frozenset({"connect-failure", "refused-stream", "reset-before-request"})


@dataclass(frozen=True)
class Taken:
    """A route that calls of a method may take; ``rule`` is None where Istio makes one by itself."""

    rule: Rule | None
    index: int
    attempts: int
    on: tuple[str, ...]
    each: timedelta | None
    timeout: timedelta | None

    @property
    def repeats(self) -> bool:
        """Whether a call that may have been handled is made again."""
        return self.attempts > 1 and not {*self.on} <= HARMLESS


def routes(mesh: Mesh, service: Service, path: str) -> Iterator[Taken]:
    """Every route that calls of a path to a service may take: those with conditions, up to the first without."""
    rule = next((r for r in mesh.virtual_services if service.hostname in r.spec.hosts and r.spec.http), None)
    if rule is None:
        yield _taken(mesh, None, 0, HTTPRoute())
        return
    for i, route in enumerate(rule.spec.http):
        matches = [match for match in route.match or (HTTPMatch(),) if _fits(match, path)]
        if matches and route.route:
            yield _taken(mesh, rule, i, route)
        if any(_only_by_path(match) for match in matches):
            return


def _taken(mesh: Mesh, rule: Rule | None, index: int, route: HTTPRoute) -> Taken:
    policy = retry_policy(route.retries or mesh.config.default_http_retry_policy, hashed=False)
    attempts = policy.num_retries.value + 1 if policy else 1
    on = tuple(filter(None, policy.retry_on.split(","))) if policy else ()
    each = route.retries.per_try_timeout if route.retries else None
    return Taken(rule, index, attempts, on, each, route.timeout)


def _fits(match: HTTPMatch, path: str) -> bool:
    uri = match.uri
    if uri is None:
        return True
    if uri.regex is not None:
        try:
            return re.fullmatch(uri.regex, path) is not None
        except re.error:
            return False  # said elsewhere
    wanted = uri.exact if uri.exact is not None else uri.prefix or ""
    if match.ignore_uri_case:
        path, wanted = path.lower(), wanted.lower()
    return path == wanted if uri.exact is not None else path.startswith(wanted)


def _only_by_path(match: HTTPMatch) -> bool:
    """Whether a match takes every request for its paths."""
    conditions = (match.headers, match.without_headers, match.query_params, match.method, match.authority)
    where = (match.port, match.source_labels, match.source_namespace, match.gateways)
    return not any((*conditions, match.scheme, *where))
