"""Plain values -> frozen dataclasses, told by their type hints. Every mismatch is a Problem with its line.

Input: a Document's data. Output: a spec of ``istio`` or ``kubernetes``. A field's name in YAML is its attribute's in camelCase, unless
its metadata says another (``name``).
"""

from __future__ import annotations

import dataclasses
import difflib
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from mesh.resources.problem import Problem, Severity
from mesh.resources.scalar import Wrong, number_or_text, scalar, shown
from mesh.resources.support import NOT_TRANSLATED
from mesh.resources.tree import Document, Path, dotted

T = TypeVar("T")


@dataclasses.dataclass
class Decoder:
    """Decodes one document, collecting what is wrong with it.

    ``open``: unknown fields are somebody else's business, unless one is a known field's name in other capitals.
    """

    document: Document
    problems: list[Problem]
    open: bool = False

    def decode(self, kind: type[T], data: Any, path: Path) -> T:
        """``data`` as ``kind``; a field that cannot be read is reported and keeps its default."""
        try:
            return typing.cast(T, self.fields(kind, data, path))
        except Wrong as wrong:
            self._wrong(path, wrong)
            return kind()

    def report(self, path: Path, code: str, text: str, fix: str = "") -> None:
        self.problems.append(Problem(self.document.place(path), code, Severity.ERROR, text, fix))

    def _wrong(self, path: Path, wrong: Wrong) -> None:
        self.report(path, wrong.code, f"{dotted(path)}: {wrong}", wrong.fix)

    def fields(self, kind: type[Any], data: Any, path: Path) -> Any:
        if data is None:
            data = {}
        if not isinstance(data, dict):
            raise Wrong(f"expected a mapping, found {shown(data)}", fix="write it as key: value")
        known = fields_of(typing.cast(Any, kind))
        given: dict[str, Any] = {}
        for name, value in data.items():
            if name in known:
                self._field(kind, given, name, value, (*path, name))
            elif not self.open or _folded(name) in _spellings(typing.cast(Any, kind)):
                self._unknown(kind, name, known, (*path, name))
        return kind(**given)

    def _field(self, kind: type[Any], given: dict[str, Any], name: str, value: Any, path: Path) -> None:
        if value is None:
            return
        if name in NOT_TRANSLATED.get(kind.__name__, ()):
            self._not_translated(path)
        attribute, hint = fields_of(typing.cast(Any, kind))[name]
        try:
            given[attribute] = reader_of(hint)(self, value, path)
        except Wrong as wrong:
            self._wrong(path, wrong)

    def _not_translated(self, path: Path) -> None:
        text = f"{dotted(path)} is part of Istio's API, but meshwright does not translate it"
        self.report(path, "MW0102", text, "remove it; docs/problems.md lists what is left out")

    def _unknown(self, kind: type[Any], name: str, known: Mapping[str, object], path: Path) -> None:
        if name in NOT_TRANSLATED.get(kind.__name__, ()):
            self._not_translated(path)
            return
        close = difflib.get_close_matches(name, known, n=1)
        meant = _spellings(typing.cast(Any, kind)).get(_folded(name)) or (close[0] if close else "")
        fix = f"did you mean {meant}?" if meant else f"it has: {', '.join(sorted(known)) or 'no fields'}"
        self.report(path, "MW0101", f"{dotted(path[:-1]) or 'this'} has no field {name!r}", fix)

    def items(self, hint: Any, value: Any, path: Path) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise Wrong(f"expected a list, found {shown(value)}", fix="write it as - item")
        return tuple(self._element(hint, item, (*path, i)) for i, item in enumerate(value))

    def mapping(self, hint: Any, value: Any, path: Path) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise Wrong(f"expected a mapping, found {shown(value)}", fix="write it as key: value")
        return {key: self._element(hint, item, (*path, key)) for key, item in value.items()}

    def _element(self, hint: Any, item: Any, path: Path) -> Any:
        """An item that cannot be read stands as its type's empty value, so that the others keep their numbers."""
        try:
            return reader_of(hint)(self, item, path)
        except Wrong as wrong:
            self._wrong(path, wrong)
            return (
                hint()
                if isinstance(hint, type) and (dataclasses.is_dataclass(hint) or hint in _EMPTY)
                else ""
            )


Reader = Callable[[Decoder, Any, Path], Any]
_EMPTY = (str, int, float, bool)


@functools.cache
def reader_of(hint: Any) -> Reader:
    """How a value of a type hint is read: a list, a mapping, a dataclass or a single value. Raises Wrong when called."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        given = [a for a in args if a is not type(None)]
        return reader_of(given[0]) if len(given) == 1 else lambda _, value, __: number_or_text(value)
    if origin is tuple:
        return lambda decoder, value, path: decoder.items(args[0], value, path)
    if origin is not None and issubclass(origin, Mapping):
        return lambda decoder, value, path: decoder.mapping(args[1], value, path)
    if dataclasses.is_dataclass(hint):
        return lambda decoder, value, path: decoder.fields(typing.cast(type[Any], hint), value, path)
    return lambda _, value, __: scalar(hint, value)


@functools.cache
def fields_of(kind: Callable[..., Any]) -> dict[str, tuple[str, Any]]:
    """Field name as written in YAML -> (attribute, type hint)."""
    hints = typing.get_type_hints(kind)
    return {
        f.metadata.get("name", camel(f.name)): (f.name, hints[f.name])
        for f in dataclasses.fields(typing.cast(Any, kind))
    }


@functools.cache
def _spellings(kind: Callable[..., Any]) -> Mapping[str, str]:
    """Field names without capitals and dashes -> as they are written."""
    return {_folded(name): name for name in fields_of(kind)}


def _folded(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()


def camel(name: str) -> str:
    """``connect_timeout`` as ``connectTimeout``; a trailing underscore, which dodges a Python keyword, is dropped."""
    head, *rest = name.rstrip("_").split("_")
    return head + "".join(part[:1].upper() + part[1:] for part in rest)
