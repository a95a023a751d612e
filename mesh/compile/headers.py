"""Headers that a route sets, adds and removes. Source: istiod's TranslateHeadersOperations.

The authority is no header of HTTP/2: setting it rewrites the request's host instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from envoy.config.core.v3.base_pb2 import HeaderValueOption

from mesh.resources.istio.virtualservice import HeaderOperations, Headers


@dataclass(frozen=True)
class Operations:
    """As Envoy's routes and weighted clusters take them."""

    request_add: tuple[HeaderValueOption, ...] = ()
    request_remove: tuple[str, ...] = ()
    response_add: tuple[HeaderValueOption, ...] = ()
    response_remove: tuple[str, ...] = ()
    authority: str = ""

    def fields(self) -> dict[str, object]:
        return {
            "request_headers_to_add": self.request_add,
            "request_headers_to_remove": self.request_remove,
            "response_headers_to_add": self.response_add,
            "response_headers_to_remove": self.response_remove,
        }


def operations(given: Headers | None) -> Operations:
    if given is None:
        return Operations()
    request, response = given.request or HeaderOperations(), given.response or HeaderOperations()
    return Operations(
        request_add=_added(request),
        request_remove=_removed(request.remove),
        response_add=_added(response),
        response_remove=_removed(response.remove),
        authority=_authority(request.set) or _authority(request.add),
    )


def _added(given: HeaderOperations) -> tuple[HeaderValueOption, ...]:
    overwrite = HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD
    append = HeaderValueOption.APPEND_IF_EXISTS_OR_ADD
    return (*_options(given.set, overwrite), *_options(given.add, append))


def _options(headers: Mapping[str, str], action: int) -> Iterable[HeaderValueOption]:
    return (
        HeaderValueOption(header={"key": key, "value": headers[key]}, append_action=action)
        for key in sorted(headers)
        if not _internal(key)
    )


def _removed(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if not _internal(name))


def _authority(headers: Mapping[str, str]) -> str:
    return next((value for key, value in headers.items() if key.lower() in (":authority", "host")), "")


def _internal(name: str) -> bool:
    return name.startswith(":") or name.lower() == "host"
