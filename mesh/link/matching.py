"""Which requests a route takes: what istiod refuses in a match. Source: istio validation, validateHTTPRouteMatchRequest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from mesh.link import headers, labels
from mesh.link.hosts import is_label
from mesh.link.regex import mistake
from mesh.link.spot import Spot
from mesh.resources.istio.shared import StringMatch
from mesh.resources.istio.virtualservice import HTTPMatch
from mesh.resources.problem import Problem

#: Of a header that must not be there, whatever its value: no expression, but Istio takes it.
_ANY: Final = "*"


def invalid(at: Spot, match: HTTPMatch) -> Iterator[Problem]:
    """What istiod refuses."""
    if match.uri is not None:
        yield from string(at / "uri", match.uri, empty_prefix=True)
    single = {"scheme": match.scheme, "method": match.method, "authority": match.authority}
    for field, value in single.items():
        if value is not None:
            yield from string(at / field, value)
    yield from _strings(at / "headers", match.headers)
    absent = {name: value for name, value in match.without_headers.items() if value.regex != _ANY}
    yield from _strings(at / "withoutHeaders", absent)
    for name in (*match.headers, *match.without_headers):
        field = "headers" if name in match.headers else "withoutHeaders"
        yield from headers.matched(at / field / name, name)
    yield from _strings(at / "queryParams", match.query_params)
    if match.port >= 65536:
        yield (at / "port").problem("MW0304", f"{match.port} is not a port", "use 1 to 65535")
    yield from labels.invalid(at / "sourceLabels", match.source_labels)
    if match.source_namespace and not is_label(match.source_namespace):
        text = f"{match.source_namespace!r} is not a namespace"
        yield (at / "sourceNamespace").problem("MW0310", text, "name one namespace")


def _strings(at: Spot, values: Mapping[str, StringMatch]) -> Iterator[Problem]:
    for name, value in values.items():
        yield from string(at / name, value)


def string(at: Spot, value: StringMatch, empty_prefix: bool = False) -> Iterator[Problem]:
    """One of exact, prefix and regex; ``empty_prefix``: a prefix may be empty."""
    given = [name for name in ("exact", "prefix", "regex") if getattr(value, name) is not None]
    if len(given) > 1:
        text = f"{' and '.join(given)} cannot stand together"
        yield at.problem("MW0302", text, "keep one of exact, prefix and regex")
    if value.prefix == "" and not empty_prefix:
        yield (at / "prefix").problem(
            "MW0302", "an empty prefix matches nothing in particular", "remove the match"
        )
    if value.regex is not None and (reason := mistake(value.regex)):
        text = f"not an RE2 expression: {reason}"
        yield (at / "regex").problem("MW0303", text, "mend it; RE2 is what Envoy matches with")
