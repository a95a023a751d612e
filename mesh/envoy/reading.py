"""Envoy's configuration as people write it, in YAML or JSON, as typed messages. Used for the patches of EnvoyFilters.

Extensions are packed by the type that ``@type`` names; the modules of all of Envoy's are on this machine (xds-protos) and are loaded when they are
asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pool, json_format
from google.protobuf.message import Message

from mesh.resources.tree import Path

_KNOWN: Final = re.compile(r"[^/]*/((?:envoy|xds|udpa|google)(?:\.\w+)+)", re.ASCII)
_FIELD: Final = re.compile(r"Failed to parse (\w+) field: ")
_UNKNOWN: Final = re.compile(r'has no field named "([^"]*)"')


class Unreadable(ValueError):
    """What is written is not of its type. ``path`` leads to it from the value's top."""

    def __init__(self, reason: str, path: Path) -> None:
        super().__init__(reason)
        self.path = path


def message(value: Any, made: Message) -> Message:
    """Fill ``made`` from plain data. Raises Unreadable."""
    for path, url in _types(value, ()):
        if not _load(url):
            raise Unreadable(f"Envoy has no extension of type {url!r}", (*path, "@type"))
    try:
        json_format.ParseDict(value, made)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise _unreadable(str(error), value) from None
    return made


def _types(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        if "@type" in value:
            yield path, str(value["@type"])
        for key, each in value.items():
            yield from _types(each, (*path, key))
    elif isinstance(value, list):
        for i, each in enumerate(value):
            yield from _types(each, (*path, i))


@cache
def _load(url: str) -> bool:
    """Import the type's module; says whether there is such a type."""
    found = _KNOWN.fullmatch(url)
    if not found:
        return False
    package = found[1].rpartition(".")[0]
    try:
        folder = importlib.import_module(package)
        for each in pkgutil.iter_modules(folder.__path__):
            if each.name.endswith("_pb2"):
                importlib.import_module(f"{package}.{each.name}")
        return _descriptor(found[1])
    except (ImportError, AttributeError):
        return _descriptor(found[1])


def _descriptor(name: str) -> bool:
    try:
        descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        return False
    return True


def _unreadable(said: str, value: Any) -> Unreadable:
    """The parser says fields by name, of which most lead to the place; a list's item is the first that has the next field."""
    path: Path = ()
    reason = said.split("\n")[0]
    while found := _FIELD.match(reason):
        path = _into(value, path, found[1])
        reason = reason[found.end() :]
    if found := _UNKNOWN.search(reason):
        path = _into(value, path, found[1])
        return Unreadable(f"Envoy has no field {found[1]!r} here", path)
    return Unreadable(re.sub(r" at \S+$", "", reason.rstrip(".")), path)


def _into(value: Any, path: Path, name: str) -> Path:
    """The path of a field called so, at or below the one that is known."""
    inside = value
    for step in path:
        inside = inside[step]
    found = next((more for more in _below(inside, ()) if _same(more[-1], name)), ())
    return (*path, *found)


def _below(value: Any, path: Path) -> Iterator[Path]:
    """Every field, outer ones first."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    steps = [((*path, key), each) for key, each in inside]
    yield from (step for step, _ in steps if isinstance(step[-1], str))
    for step, each in steps:
        yield from _below(each, step)


def _same(key: str | int, name: str) -> bool:
    return isinstance(key, str) and key.replace("_", "").lower() == name.replace("_", "").lower()
