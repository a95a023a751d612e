"""JSON Web Key Sets in a RequestAuthentication: whether they can be read, and whether they hold what nobody should see.

Source: RFC 7517 and RFC 7518, section 6. istiod refuses what its library cannot read; a proxy then knows no key and refuses every token.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from mesh.link.spot import Spot
from mesh.resources.problem import Problem

#: What a key of each type is made of.
_PARTS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x"), "oct": ("k",)}
_NUMBER: Final = re.compile(r"[A-Za-z0-9_-]+={0,2}")
_FIX: Final = 'as in {"keys": [{"kty": "RSA", "n": ..., "e": "AQAB"}]}'


def invalid(at: Spot, text: str) -> Iterator[Problem]:
    """What cannot be read, and private keys, of which istiod warns."""
    if reason := unreadable(text):
        yield at.problem("MW0401", reason, _FIX)
        return
    for i, key in enumerate(_keys(json.loads(text))):
        if key["kty"] == "oct" or "d" in key:
            secret = f"key {i} of the set is a private one: who reads it can make tokens"
            yield at.problem("MW0404", secret, "keep only the public half here, and replace the key")


def unreadable(text: str) -> str:
    """Why a text is no set of keys; empty when it is one."""
    try:
        keys = _keys(json.loads(text))
    except (ValueError, RecursionError):
        return "this is no set of JSON Web Keys"
    mistakes = (f"key {i} of the set {reason}" for i, key in enumerate(keys) if (reason := _mistake(key)))
    return next(mistakes, "")


def _keys(data: Any) -> list[Any]:
    """The keys of a set, or the one key that stands for a set. Raises ValueError."""
    if isinstance(data, dict) and isinstance(data.get("keys"), list):
        return list(data["keys"])
    if isinstance(data, dict) and "kty" in data:
        return [data]
    raise ValueError(data)


def _mistake(key: Any) -> str:
    kind = key.get("kty") if isinstance(key, dict) else None
    if not isinstance(kind, str) or kind not in _PARTS:
        return f"is of no known type: {kind!r:.40}"
    for part in _PARTS[kind]:
        value = key.get(part)
        if not isinstance(value, str) or not _NUMBER.fullmatch(value):
            return f"has no {part} that can be read"
    return ""
