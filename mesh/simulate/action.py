"""What a route does with a request that it takes: where it goes, in which shares, how long, how often, and as what.

Source: Envoy's RouteEntryImplBase; times are seconds, 0 there is no limit, nothing at all is 15 seconds.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any, Final

from envoy.extensions.filters.http.fault.v3.fault_pb2 import HTTPFault
from envoy.type.v3.percent_pb2 import FractionalPercent

from mesh.envoy import filters
from mesh.simulate.request import Request
from mesh.simulate.trace import Fault, Retries

_DEFAULT_TIMEOUT: Final = 15.0
#: %REQ(NAME?OTHER):LENGTH%, of Envoy's substitution format; what other operators say changes no route.
_OF_REQUEST: Final = re.compile(r"%REQ\(([^?)]+)(?:\?([^)]+))?\)(?::(\d+))?%")
_OF: Final = {
    FractionalPercent.HUNDRED: 100,
    FractionalPercent.TEN_THOUSAND: 10_000,
    FractionalPercent.MILLION: 1_000_000,
}


def shares(action: Any) -> list[tuple[float, str, Any]]:
    """(share from 0 to 1, cluster, the ClusterWeight or None). What has no weight gets nothing."""
    if action.HasField("weighted_clusters"):
        found = [(each.weight.value, each) for each in action.weighted_clusters.clusters]
        total = sum(weight for weight, _ in found) or 1
        return [(weight / total, each.name, each) for weight, each in found if weight]
    return [(1.0, action.cluster, None)]


def timeout(action: Any, grpc: bool) -> float | None:
    """Of the whole call with its retries. A gRPC caller's own deadline may be shorter."""
    if grpc and action.HasField("max_grpc_timeout"):
        return action.max_grpc_timeout.ToTimedelta().total_seconds() or None
    seconds = action.timeout.ToTimedelta().total_seconds() if action.HasField("timeout") else _DEFAULT_TIMEOUT
    return seconds or None


def retries(action: Any, host: Any) -> Retries | None:
    """The route's, else its virtual host's; None when a call is made once."""
    policy = action.retry_policy if action.HasField("retry_policy") else host.retry_policy
    if not policy.retry_on:
        return None
    again = policy.num_retries.value if policy.HasField("num_retries") else 1
    each = policy.per_try_timeout.ToTimedelta().total_seconds() or None
    return Retries(again + 1, policy.retry_on, tuple(policy.retriable_status_codes), each) if again else None


def fault(route: Any) -> Fault | None:
    """What a route breaks on purpose."""
    if filters.FAULT not in route.typed_per_filter_config:
        return None
    given = HTTPFault()
    route.typed_per_filter_config[filters.FAULT].Unpack(given)
    abort, delay = given.abort, given.delay
    grpc = abort.WhichOneof("error_type") == "grpc_status"
    made = Fault(
        delayed=fraction(delay.percentage) if given.HasField("delay") else 0.0,
        delay=delay.fixed_delay.ToTimedelta().total_seconds(),
        aborted=fraction(abort.percentage) if given.HasField("abort") else 0.0,
        status=abort.grpc_status if grpc else abort.http_status,
        grpc=grpc,
    )
    return made if made.delayed or made.aborted else None


def fraction(given: Any) -> float:
    """A FractionalPercent as a share from 0 to 1."""
    return min(1.0, float(given.numerator) / _OF[given.denominator])


def forwarded(request: Request, route: Any, share: Any, host: Any) -> Request:
    """The request as its cluster gets it: host and path rewritten, headers changed by the share, the route, the virtual host."""
    action = route.route
    made = replace(request, path=_path(request, route))
    authority = (share is not None and share.host_rewrite_literal) or action.host_rewrite_literal
    headers = dict(made.headers)
    for said in [each for each in (share, route, host) if each is not None]:
        for name in said.request_headers_to_remove:
            headers.pop(name.lower(), None)
        for option in said.request_headers_to_add:
            _add(headers, option, replace(made, headers=headers))
    return replace(made, authority=authority or made.authority, headers=headers)


def _add(headers: dict[str, str], option: Any, request: Request) -> None:
    name, value = option.header.key.lower(), _formatted(option.header.value, request)
    if not value and not option.keep_empty_value:
        return
    kind = option.HeaderAppendAction.Name(option.append_action)
    appends = option.append.value if option.HasField("append") else kind.startswith("APPEND")
    there = headers.get(name)
    if there is not None and kind == "ADD_IF_ABSENT":
        return
    if there is None and kind == "OVERWRITE_IF_EXISTS":
        return
    headers[name] = f"{there},{value}" if there is not None and appends else value


def _formatted(text: str, request: Request) -> str:
    """With the request's own headers in it, and every doubled percent sign a plain one."""

    def found(match: re.Match[str]) -> str:
        value = request.header(match[1]) or (request.header(match[2]) if match[2] else "") or ""
        return value[: int(match[3])] if match[3] else value

    return _OF_REQUEST.sub(found, text).replace("%%", "%")


def _path(request: Request, route: Any) -> str:
    action, match = route.route, route.match
    if action.HasField("regex_rewrite"):
        plain, mark, query = request.path.partition("?")
        substitution = re.sub(r"\\(\d)", r"\\g<\1>", action.regex_rewrite.substitution)
        return f"{re.sub(action.regex_rewrite.pattern.regex, substitution, plain)}{mark}{query}"
    if not action.prefix_rewrite:
        return request.path
    kind = match.WhichOneof("path_specifier")
    if kind == "safe_regex":
        return f"{action.prefix_rewrite}{request.path[len(request.plain_path) :]}"
    return f"{action.prefix_rewrite}{request.path[len(getattr(match, kind)) :]}"
