"""What an RBAC rule asks for, in words: for those that a request nearly met."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

_WHAT: Final = {
    "authenticated": "caller",
    "source_ip": "address",
    "direct_remote_ip": "address",
    "remote_ip": "client address",
    "destination_ip": "destination",
    "requested_server_name": "server name",
    "url_path": "path",
    "uri_template": "path",
    "metadata": "claim",
}
_NAMESPACE: Final = re.compile(r"\.\*/ns/(.*)/\.\*")


def principals(given: Iterable[Any]) -> str:
    return _either(_word(each, "identifier") for each in given)


def permissions(given: Iterable[Any]) -> str:
    return _either(_word(each, "rule") for each in given)


def _either(parts: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(parts))


def _word(given: Any, oneof: str) -> str:
    kind = given.WhichOneof(oneof)
    value: Any = getattr(given, kind) if kind else None
    if kind in ("and_ids", "or_ids", "and_rules", "or_rules"):
        inner = value.ids if kind.endswith("ids") else value.rules
        parts = list(dict.fromkeys(_word(each, oneof) for each in inner))
        return _joined(parts, " and " if kind.startswith("and") else " or ")
    if kind in ("not_id", "not_rule"):
        return f"not {_word(value, oneof)}"
    return _leaf(str(kind), value)


def _joined(parts: list[str], word: str) -> str:
    """Alternatives of one attribute name it once: ``path /a or /b``."""
    names = {part.partition(" ")[0] for part in parts}
    if word == " or " and len(parts) > 1 and len(names) == 1:
        (name,) = names
        return f"{name} {word.join(part.partition(' ')[2] for part in parts)}"
    return word.join(parts)


def _leaf(kind: str, value: Any) -> str:
    if kind == "any":
        return "anything"
    if kind == "destination_port":
        return f"port {value}"
    if kind == "header":
        return f"header {value.name} {_text(value.string_match)}".strip()
    if kind == "authenticated":
        return _caller(_text(value.principal_name)) if value.HasField("principal_name") else "any certificate"
    if kind == "url_path":
        return f"path {_text(value.path)}"
    if kind.endswith("_ip"):
        return f"{_WHAT[kind]} {value.address_prefix}/{value.prefix_len.value}"
    if kind == "metadata":
        return f"claim {'.'.join(segment.key for segment in value.path[1:])}"
    return _WHAT.get(kind, kind)


def _caller(name: str) -> str:
    found = _NAMESPACE.fullmatch(name)
    return f"caller in namespace {found[1]}" if found else f"caller {name.removeprefix('spiffe://')}"


def _text(matcher: Any) -> str:
    kind = matcher.WhichOneof("match_pattern")
    if kind is None:
        return ""
    if kind == "safe_regex":
        return str(matcher.safe_regex.regex)
    value = str(getattr(matcher, kind))
    return {"prefix": f"{value}*", "suffix": f"*{value}"}.get(kind, value)
