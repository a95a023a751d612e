"""Two dumps compared: resource by resource, with the path of everything that differs.

What istiod orders at random (it walks a Go map) is sorted first. What is known to differ, and why, stands in differences.yaml.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterator
from typing import Any

import yaml

from tests.parity.golden import FOLDER, Dump, name

#: Lists whose order istiod takes from a map, by the name of their field: chains are those of ports that no service has.
_UNORDERED = frozenset({"queryParameters", "dynamicMetadata", "filterChains"})


def differences(ours: Dump, theirs: Dump) -> list[str]:
    """One line for each difference that is not accepted."""
    lines = [line for proxy in sorted({*ours, *theirs}) for line in _proxy(proxy, ours, theirs)]
    accepted = [each["path"] for each in accepted_differences()]
    return [line for line in lines if not any(fnmatch.fnmatch(line.partition(": ")[0], p) for p in accepted)]


def accepted_differences() -> list[dict[str, str]]:
    """Each with ``path`` (KIND/RESOURCE/FIELD..., with * for anything) and ``reason``."""
    found: list[dict[str, str]] = yaml.safe_load((FOLDER / "differences.yaml").read_text()) or []
    return found


def _proxy(proxy: str, ours: Dump, theirs: Dump) -> Iterator[str]:
    for kind in ("clusters", "endpoints", "listeners", "routes"):
        mine = {name(each): each for each in ours.get(proxy, {}).get(kind, [])}
        other = {name(each): each for each in theirs.get(proxy, {}).get(kind, [])}
        for path, a, b in _values(kind, mine, other):
            yield f"{path}: {_short(a)} for {_short(b)} (of {proxy})"


def _values(path: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted({*ours, *theirs}):
            sort = key in _UNORDERED
            a, b = ours.get(key), theirs.get(key)
            yield from _values(f"{path}/{key}", _sorted(a) if sort else a, _sorted(b) if sort else b)
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from _values(f"{path}/{i}", a, b)
    elif isinstance(ours, list) and isinstance(theirs, list):
        yield from _lengths(path, ours, theirs)
    elif ours != theirs:
        yield path, ours, theirs


def _lengths(path: str, ours: list[Any], theirs: list[Any]) -> Iterator[tuple[str, Any, Any]]:
    """What is in only one of two lists; when nothing is, they repeat themselves differently."""
    mine, other = [_text(each) for each in ours], [_text(each) for each in theirs]
    extra = [(f"{path}/{i}", each, None) for i, each in enumerate(ours) if mine[i] not in other]
    missing = [(f"{path}/{i}", None, each) for i, each in enumerate(theirs) if other[i] not in mine]
    if len(extra) + len(missing) < min(len(mine), len(other)):
        yield from [*extra, *missing] or [(path, ours, theirs)]
    else:
        yield path, [_titled(each) for each in ours], [_titled(each) for each in theirs]


def _titled(value: Any) -> Any:
    return value.get("name", value) if isinstance(value, dict) else value


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _sorted(values: Any) -> Any:
    return sorted(values, key=_rank) if values else values


def _rank(value: Any) -> str:
    """A filter chain by what it matches, of which there is only one in a listener."""
    return _text(value.get("filterChainMatch", value) if isinstance(value, dict) else value)


def _short(value: Any) -> str:
    return "nothing" if value is None else _text(value)[:300]
