"""Regular expressions as Prometheus has them: RE2's, which no input makes slow, always for the whole of a value."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

import re2

from mesh.observe.promql.nodes import BadQuery

_OPTIONS: Final = re2.Options()
_OPTIONS.log_errors = False
_REFERENCE: Final = re.compile(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def whole(pattern: str) -> Callable[[str], bool]:
    """Whether a value is, from end to end, what ``pattern`` says. Raises BadQuery."""
    compiled = _compiled(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def replacer(pattern: str, template: str) -> Callable[[str], str | None]:
    """``template`` with ``$1``, ``${1}`` and ``${name}`` filled in; None for a value that does not match. Raises BadQuery."""
    compiled = _compiled(pattern)

    def replaced(value: str) -> str | None:
        found = compiled.fullmatch(value)
        return found and _REFERENCE.sub(lambda at: _part(found, at), template)

    return replaced


def _part(found: Any, at: re.Match[str]) -> str:
    """As Go's Regexp.Expand: a group that is not there is nothing."""
    dollar, *names = at.groups()
    if dollar:
        return "$"
    name = names[0] or names[1]
    try:
        return found.group(int(name) if name.isdigit() else name) or ""
    except (IndexError, KeyError):
        return ""


def _compiled(pattern: str) -> Any:
    try:
        return re2.compile(f"(?s:{pattern})", _OPTIONS)
    except re2.error as error:
        told = error.args[0]
        reason = told.decode(errors="replace") if isinstance(told, bytes) else told
        raise BadQuery(f"error parsing regexp: {reason}") from None
