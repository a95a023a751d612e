"""URI templates: ``*`` is one segment of a path, ``**`` any number of them. Source: Envoy's uri_template matcher."""

from __future__ import annotations

import re
from functools import lru_cache

_SEGMENT = r"[a-zA-Z0-9\-._~%!$&'()+,;:@=]"


def matches(pattern: str, path: str) -> bool:
    """Whether a path has the shape of a template, as in ``/shop/*/item/**``."""
    return _compiled(pattern).fullmatch(path) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*|\*)", pattern)
    made = {"**": rf"(?:{_SEGMENT}|[/*])*", "*": rf"(?:{_SEGMENT}|\*)+"}
    return re.compile("".join(made.get(part, re.escape(part)) for part in parts))
