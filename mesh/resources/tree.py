"""YAML text -> plain values, and the line of every field. The only place that touches a YAML library.

Input: the text of a file or of rendered charts. Output: one Document per YAML document, read by ``object``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from mesh.resources import scalartext
from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.sources import Sources

Path = tuple[str | int, ...]
_yaml: Any = yaml
_FastLoader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT: Final = "tag:yaml.org,2002:str"
_MERGE: Final = "tag:yaml.org,2002:merge"
_PLAIN: Final = "plain"
_DEEPEST: Final = 100
#: Aliases may repeat this many values for each character of the text; beyond it the text is a bomb, not a manifest.
_MOST_VALUES_PER_CHARACTER: Final = 10


class _Loader(_FastLoader):  # type: ignore[misc]
    """The fast loader, leaving to ``scalartext`` what a plain word is."""

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        """Paths do not decide what a value is."""

    def ascend_resolver(self) -> None:
        """Nor on the way back."""

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        if kind is not yaml.ScalarNode:
            return super().resolve(kind, value, implicit)
        return _TEXT if not implicit[0] else _MERGE if value == "<<" else _PLAIN


@dataclass(frozen=True)
class Document:
    """One YAML document as plain dicts, lists and scalars. ``node`` is where its lines are looked up; None when it had none."""

    data: Any
    file: str
    node: Any = field(default=None, repr=False, compare=False)
    offset: int = field(default=0, repr=False, compare=False)

    def place(self, path: Path = ()) -> Place:
        """Where ``path`` was written; a missing field is placed at the nearest parent that is there."""
        return Place(self.file, max(0, _line(self.node, path) - self.offset), dotted(path))

    def item(self, path: Path) -> Document:
        """The part at ``path`` as a document of its own, as for an item of a List."""
        data, node = self.data, self.node
        for part in path:
            data, node = data[part], _child(node, part)[1]
        return Document(data, self.file, node, self.offset)


def dotted(path: Path) -> str:
    """``("spec", "http", 0, "timeout")`` as ``spec.http[0].timeout``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def documents(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """Every document of ``text``. Broken YAML is a Problem; what stands before it is still returned."""
    sources = Sources(text, file)
    found: list[Document] = []
    problems: list[Problem] = []
    budget = _MOST_VALUES_PER_CHARACTER * len(text) + 1000
    try:
        for node in _yaml.compose_all(text, Loader=_Loader):
            if node is None:
                continue
            name, offset = sources.at(node.start_mark.line + 1)
            reader = _Reader(name, offset, problems, budget)
            found.append(Document(reader.value(node, ()), name, node, offset))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.append(_broken(sources.place(mark.line + 1 if mark else 0), error.problem or error.context))
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.append(_broken(sources.place(line), str(error.reason)))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problems.append(_broken(Place(file), str(error).partition("\n")[0]))
    return found, problems


def _broken(place: Place, reason: str | None) -> Problem:
    text = f"this is not YAML: {reason or 'it cannot be read'}"
    return Problem(place, "MW0001", Severity.ERROR, text, "mend the syntax here or just above")


def _line(node: Any, path: Path) -> int:
    """The line of a key, or of a list's item; of the nearest parent when the path is not there."""
    if node is None:
        return 0
    line: int = node.start_mark.line + 1
    for part in path:
        key, node = _child(node, part)
        if node is None:
            break
        line = key.start_mark.line + 1
    return line


def _child(node: Any, part: str | int) -> tuple[Any, Any]:
    """(where it is written, its value's node), or (None, None)."""
    if isinstance(part, str) and isinstance(node, yaml.MappingNode):
        pairs = ((key, value) for key, value in reversed(node.value) if _key(key) == part)
        return next(pairs, (None, None))
    if isinstance(part, int) and isinstance(node, yaml.SequenceNode) and part < len(node.value):
        return node.value[part], node.value[part]
    return None, None


def _key(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else "?"


class _Reader:
    """Reads one document's nodes, noting duplicate keys as it goes."""

    def __init__(self, file: str, offset: int, problems: list[Problem], budget: int) -> None:
        self._file = file
        self._offset = offset
        self._problems = problems
        self._budget = budget
        self._constructor = yaml.constructor.SafeConstructor()

    def value(self, node: Any, path: Path) -> Any:
        self._budget -= 1
        if len(path) > _DEEPEST or self._budget < 0:
            reason = "nested too deeply" if self._budget >= 0 else "its aliases expand to far more than it is"
            raise yaml.MarkedYAMLError(problem=reason, problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _pairs(self, node: Any, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                yield from self._merged(value_node, path)
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:
                continue
            key = _key(key_node)
            if key in seen or not isinstance(key_node, yaml.ScalarNode):
                self._bad_key(key_node, (*path, key))
            seen.add(key)
            yield key, self.value(value_node, (*path, key))

    def _merged(self, node: Any, path: Path) -> Iterator[tuple[str, Any]]:
        """What ``<<: *other`` takes over; of several mappings the first wins, and the mapping's own keys over all."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        for part in reversed(parts):
            if isinstance(part, yaml.MappingNode):
                yield from self.value(part, (*path, "<<")).items()

    def _bad_key(self, node: Any, path: Path) -> None:
        place = Place(self._file, node.start_mark.line + 1 - self._offset, dotted(path))
        if isinstance(node, yaml.ScalarNode):
            text = f"the key {path[-1]!r} is given twice; only one of them can be meant"
            self._problems.append(Problem(place, "MW0002", Severity.ERROR, text, "remove one"))
        else:
            self._problems.append(_broken(place, "a key must be text"))

    def _scalar(self, node: Any) -> Any:
        if node.tag == _PLAIN:
            return scalartext.value(node.value)
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in ("int", "float", "bool", "null") or ":" in node.value:  # 12:30 is no number here
            return node.value
        try:
            return self._constructor.construct_object(node)
        except (ValueError, OverflowError, KeyError):  # as !!int of a word
            return node.value
