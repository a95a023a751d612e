"""Which virtual host and which of its routes a request takes. Source: Envoy's RouteMatcher and config_impl."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from envoy.extensions.path.match.uri_template.v3.uri_template_match_pb2 import UriTemplateMatchConfig

from mesh.simulate import claims, template, text
from mesh.simulate.request import Request
from mesh.simulate.text import Unsimulated
from mesh.simulate.trace import Passed


def virtual_host(config: Any, authority: str) -> Any | None:
    """By the whole name, then by the longest wildcard before it, then by the longest after it, then the one for all."""
    host = _host(authority) if config.ignore_port_in_host_matching else authority.lower()
    ranked = [(rank, each) for each in config.virtual_hosts if (rank := _rank(each, host)) > (0, 0)]
    return max(ranked, key=lambda found: found[0])[1] if ranked else None


def _host(authority: str) -> str:
    name, colon, port = authority.lower().rpartition(":")
    return name if colon and port.isdigit() else authority.lower()


def _rank(virtual_host: Any, host: str) -> tuple[int, int]:
    return max((_domain(domain.lower(), host) for domain in virtual_host.domains), default=(0, 0))


def _domain(domain: str, host: str) -> tuple[int, int]:
    if domain == host:
        return 4, 0
    if domain == "*":
        return 1, 0
    if domain.startswith("*") and host.endswith(domain[1:]) and len(host) > len(domain) - 1:
        return 3, len(domain)
    if domain.endswith("*") and host.startswith(domain[:-1]) and len(host) > len(domain) - 1:
        return 2, len(domain)
    return 0, 0


def chosen(host: Any, request: Request) -> tuple[int | None, tuple[Passed, ...]]:
    """The index of the first route that takes the request (None when none does), and why those before it do not."""
    passed: list[Passed] = []
    for index, route in enumerate(host.routes):
        unmet = next(_unmet(route.match, request), None)
        if unmet is None:
            return index, tuple(passed)
        passed.append(Passed(route.name, unmet))
    return None, tuple(passed)


def _unmet(match: Any, request: Request) -> Iterator[str]:
    """What a RouteMatch asks for and the request does not have."""
    if not _path(match, request):
        yield f"path {_wanted_path(match)}"
    for each in match.headers:
        if not text.header(each, request):
            yield f"{'not ' if each.invert_match else ''}header {each.name} {_value(each)}".strip()
    for each in match.query_parameters:
        if not text.parameter(each, request):
            yield f"query parameter {each.name} {_value(each)}".strip()
    if match.HasField("grpc") and not request.headers.get("content-type", "").startswith("application/grpc"):
        yield "a gRPC call"
    for each in match.dynamic_metadata:
        if not claims.metadata(each, request):
            yield f"claim {'.'.join(segment.key for segment in each.path[1:])}"


def _path(match: Any, request: Request) -> bool:
    kind = match.WhichOneof("path_specifier")
    path = request.plain_path
    if kind == "safe_regex":
        return text.fits(match.safe_regex.regex, path)
    if kind == "path_match_policy":
        config = UriTemplateMatchConfig()
        match.path_match_policy.typed_config.Unpack(config)
        return template.matches(config.path_template, path)
    if kind == "connect_matcher":
        return request.method == "CONNECT"
    wanted = str(getattr(match, kind)) if kind else ""
    if match.HasField("case_sensitive") and not match.case_sensitive.value:
        wanted, path = wanted.lower(), path.lower()
    if kind == "path_separated_prefix":
        return path == wanted or path.startswith(f"{wanted}/")
    if kind not in ("path", "prefix"):
        raise Unsimulated(f"a route that matches by {kind}")
    return path == wanted if kind == "path" else path.startswith(wanted)


def _wanted_path(match: Any) -> str:
    kind = match.WhichOneof("path_specifier")
    if kind == "safe_regex":
        return str(match.safe_regex.regex)
    value = str(getattr(match, kind))
    return f"{value}*" if kind == "prefix" else value


def _value(matcher: Any) -> str:
    given = matcher.string_match
    kind = given.WhichOneof("match_pattern")
    if kind is None:
        return ""
    if kind == "safe_regex":
        return str(given.safe_regex.regex)
    return {"prefix": f"{given.prefix}*", "suffix": f"*{given.suffix}"}.get(kind, str(getattr(given, kind)))
