"""Plain values -> frozen dataclasses, told by their type hints. Every mismatch is a Problem with its line.

Input: a Document's data. Output: a spec of ``istio`` or ``kubernetes``. A field name is the Istio or Kubernetes name in snake_case.
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, TypeVar

from mesh.resources.problem import Problem, Severity
from mesh.resources.support import NOT_TRANSLATED
from mesh.resources.tree import Document, Path

T = TypeVar("T")
_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|us|µs|ns|m|s))+")
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(h|ms|us|µs|ns|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


class _Wrong(Exception):
    """A value that cannot be read as its field's type; caught in ``Decoder.field`` and reported there."""


@dataclasses.dataclass
class Decoder:
    """Decodes one document, collecting what is wrong with it."""

    document: Document
    problems: list[Problem]
    open: bool = False

    def decode(self, kind: type[T], data: Any, path: Path) -> T:
        """``data`` as ``kind``; a field that cannot be read keeps its default."""
        return typing.cast(T, self._dataclass(kind, data, path))

    def report(self, path: Path, code: str, text: str, fix: str = "") -> None:
        self.problems.append(Problem(self.document.place(path), code, Severity.ERROR, text, fix))

    def _dataclass(self, kind: type[Any], data: Any, path: Path) -> Any:
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise _Wrong(f"expected a mapping, found {_shown(data)}")
        known = _fields(kind)
        given: dict[str, Any] = {}
        for name, value in data.items():
            if name in known:
                self._field(kind, given, name, value, (*path, name))
            elif not self.open:
                self._unknown(kind, name, known, (*path, name))
        return kind(**given)

    def _field(self, kind: type[Any], given: dict[str, Any], name: str, value: Any, path: Path) -> None:
        attribute, hint = _fields(kind)[name]
        if name in NOT_TRANSLATED.get(kind.__name__, ()):
            self._unsupported(kind, name, path)
        if value is None:
            return
        try:
            given[attribute] = self._value(hint, value, path)
        except _Wrong as wrong:
            self.report(path, "MW0103", f"{name}: {wrong}")

    def _unsupported(self, kind: type[Any], name: str, path: Path) -> None:
        text = f"{kind.__name__}.{name} is part of Istio's API, but meshwright does not translate it"
        self.report(path, "MW0102", text, "remove it; docs/problems.md lists what is left out")

    def _unknown(self, kind: type[Any], name: str, known: Mapping[str, object], path: Path) -> None:
        if name in NOT_TRANSLATED.get(kind.__name__, ()):
            self._unsupported(kind, name, path)
            return
        close = difflib.get_close_matches(name, known, n=1)
        fix = f"did you mean {close[0]}?" if close else f"{kind.__name__} has: {', '.join(sorted(known))}"
        self.report(path, "MW0101", f"{kind.__name__} has no field {name!r}", fix)

    def _value(self, hint: Any, value: Any, path: Path) -> Any:
        origin = typing.get_origin(hint)
        if origin in (types.UnionType, typing.Union):
            given = [a for a in typing.get_args(hint) if a is not type(None)]
            return self._value(given[0], value, path) if len(given) == 1 else _number_or_text(value)
        if origin is tuple:
            return self._items(typing.get_args(hint)[0], value, path)
        if origin is not None and issubclass(origin, Mapping):
            return self._mapping(typing.get_args(hint)[1], value, path)
        if dataclasses.is_dataclass(hint):
            return self._dataclass(typing.cast(type[Any], hint), value, path)
        return _scalar(hint, value)

    def _items(self, hint: Any, value: Any, path: Path) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise _Wrong(f"expected a list, found {_shown(value)}")
        return tuple(self._element(hint, item, (*path, i)) for i, item in enumerate(value))

    def _element(self, hint: Any, item: Any, path: Path) -> Any:
        try:
            return self._value(hint, item, path)
        except _Wrong as wrong:
            self.report(path, "MW0103", str(wrong))
            return (
                self._dataclass(typing.cast(type[Any], hint), {}, path)
                if dataclasses.is_dataclass(hint)
                else None
            )

    def _mapping(self, hint: Any, value: Any, path: Path) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise _Wrong(f"expected a mapping, found {_shown(value)}")
        return {key: self._element(hint, item, (*path, key)) for key, item in value.items()}


@functools.cache
def fields_of(kind: Callable[..., Any]) -> dict[str, tuple[str, Any]]:
    """Field name as written in YAML -> (attribute, type hint)."""
    hints = typing.get_type_hints(kind)
    return {
        f.metadata.get("name", camel(f.name)): (f.name, hints[f.name])
        for f in dataclasses.fields(typing.cast(Any, kind))
    }


def _fields(kind: Any) -> dict[str, tuple[str, Any]]:
    return fields_of(kind)


def camel(name: str) -> str:
    """``connect_timeout`` as ``connectTimeout``; a trailing underscore, which dodges a Python keyword, is dropped."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)


def duration(text: str) -> timedelta:
    """A Go duration such as ``1m30s`` or ``250ms``. Raises ValueError."""
    if not _DURATION.fullmatch(text):
        raise ValueError(f"expected a duration such as 2s or 250ms, found {text!r}")
    return timedelta(seconds=sum(float(n) * _SECONDS[unit] for n, unit in _PARTS.findall(text)))


def _scalar(hint: Any, value: Any) -> Any:
    if hint is Any:
        return value
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _member(hint, value)
    reader = _READERS.get(hint)
    if reader is None:
        raise TypeError(f"no reader for {hint}")
    return reader(value)


def _member(kind: type[Enum], value: Any) -> Enum:
    try:
        return kind(value)
    except ValueError:
        choices = ", ".join(str(m.value) for m in kind)
        raise _Wrong(f"expected one of {choices}, found {_shown(value)}") from None


def _text(value: Any) -> str:
    if isinstance(value, (dict, list)):
        raise _Wrong(f"expected text, found {_shown(value)}")
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise _Wrong(f"expected a whole number, found {_shown(value)}")
    try:
        return int(value)
    except ValueError:
        raise _Wrong(f"expected a whole number, found {_shown(value)}") from None


def _number_or_text(value: Any) -> int | str:
    return value if isinstance(value, int) and not isinstance(value, bool) else _text(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise _Wrong(f"expected a number, found {_shown(value)}")
    return float(value)


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _Wrong(f"expected true or false, found {_shown(value)}")
    return value


def _time(value: Any) -> timedelta:
    try:
        return duration(str(value))
    except ValueError as error:
        raise _Wrong(str(error)) from None


_READERS: dict[Any, Callable[[Any], Any]] = {
    str: _text,
    int: _whole,
    float: _number,
    bool: _truth,
    timedelta: _time,
}


def _shown(value: Any) -> str:
    text = {dict: "a mapping", list: "a list", type(None): "nothing"}.get(type(value))
    return text or repr(value)
