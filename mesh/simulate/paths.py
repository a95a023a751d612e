"""How a path is made canonical before anything looks at it. Source: Envoy's path_utility and RFC 3986."""

from __future__ import annotations

import re
from typing import Any

from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)

_ESCAPED_SLASH = re.compile(r"%2f|%5c", re.IGNORECASE)
_UNRESERVED = re.compile(r"%(2d|2e|5f|7e|3[0-9]|[46][1-9a-f]|[57][0-9a])", re.IGNORECASE)
_UNESCAPING = (
    HttpConnectionManager.UNESCAPE_AND_FORWARD,
    HttpConnectionManager.UNESCAPE_AND_REDIRECT,
)


def normal(manager: Any, path: str) -> str:
    """The path that filters and routes of a connection manager see; what follows ``?`` stays as it is."""
    plain, mark, query = path.partition("?")
    if manager.path_with_escaped_slashes_action in _UNESCAPING:
        plain = _ESCAPED_SLASH.sub(lambda found: "/" if found[0].lower() == "%2f" else "\\", plain)
    if manager.normalize_path.value:
        plain = _resolved(_UNRESERVED.sub(lambda found: chr(int(found[1], 16)), plain).replace("\\", "/"))
    if manager.merge_slashes:
        plain = re.sub("/{2,}", "/", plain)
    return f"{plain}{mark}{query}"


def _resolved(path: str) -> str:
    """Without ``.`` and ``..``."""
    parts = path.split("/")
    kept: list[str] = []
    for i, part in enumerate(parts):
        last = i == len(parts) - 1
        if part == "..":
            kept = kept[:-1] if len(kept) > 1 else kept
        elif part != ".":
            kept.append(part)
            continue
        if last:
            kept.append("")
    return "/".join(kept)
