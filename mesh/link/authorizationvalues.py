"""Single values of an AuthorizationPolicy. Source: istio pkg/config/security/security.go."""

from __future__ import annotations

import re
from typing import Final

from mesh.link.hosts import is_block

#: Key of a condition -> what its values are; a key that ends in a bracket takes a name, as in request.headers[x-user].
CONDITIONS: Final = {
    "request.headers[": "text",
    "source.ip": "address",
    "remote.ip": "address",
    "source.namespace": "text",
    "source.principal": "text",
    "source.trustDomain": "domain",
    "source.serviceAccount": "account",
    "request.auth.principal": "text",
    "request.auth.audiences": "text",
    "request.auth.presenter": "text",
    "request.auth.claims[": "text",
    "destination.ip": "address",
    "destination.port": "port",
    "connection.sni": "text",
}
_TEMPLATES: Final = ("{*}", "{**}")
_LITERAL: Final = re.compile(r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]+")


def value_mistake(kind: str, value: str) -> tuple[str, str] | None:
    """(what is wrong, what to do) with a value that is an address, a port, an account, a path or any text."""
    if not value:
        return "this value is empty", "remove it, or use * for any"
    if kind == "address" and not is_block(value):
        return f"{value!r} is not an IP address or CIDR block", "as in 10.0.0.0/8"
    if kind == "port" and not (value.isascii() and value.isdigit() and int(value[:6]) < 65536):
        return f"{value!r} is not a port", "use 1 to 65535"
    if kind == "account" and (
        "*" in value or value.count("/") > 1 or value.startswith("/") or value.endswith("/")
    ):
        return f"{value!r} is not a service account", "as in orders or shop/orders"
    if kind == "domain" and ("/" in value or value.count("*") > 1 or "*" in value[1:-1]):
        return f"{value!r} is not a trust domain", "as in cluster.local, *.example or example.*"
    if kind == "path" and not _is_path(value):
        return (
            f"{value!r} has braces that are no template",
            "{*} stands for one part of a path, {**} at the end for the rest",
        )
    return None


def _is_path(value: str) -> bool:
    parts = value.strip("/").split("/")
    template = any(part in _TEMPLATES for part in parts)
    if "{**}" in parts and any(part in _TEMPLATES for part in parts[parts.index("{**}") + 1 :]):
        return False
    plain = [part for part in parts if part not in _TEMPLATES]
    return all("{" not in p and "}" not in p and (not template or _LITERAL.fullmatch(p)) for p in plain)
