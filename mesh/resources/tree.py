"""YAML text -> plain values and the line of every field. The only place that touches a YAML library.

Input: the text of a file or of rendered charts. Output: one Document per YAML document, read by ``object``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from mesh.resources.problem import Place, Problem, Severity

Path = tuple[str | int, ...]
_yaml: Any = yaml
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_SOURCE = "# Source: "
_DEEPEST = 100


@dataclass(frozen=True)
class Document:
    """One YAML document as plain dicts, lists and scalars; ``lines`` gives the line, from 1, of every field's path."""

    data: Any
    file: str
    lines: Mapping[Path, int] = field(repr=False)

    def place(self, path: Path = ()) -> Place:
        """Where ``path`` was written; a missing field is placed at the nearest parent that is there."""
        known = path
        while known not in self.lines and known:
            known = known[:-1]
        return Place(self.file, self.lines.get(known, 0), dotted(path))


def dotted(path: Path) -> str:
    """``("spec", "http", 0, "timeout")`` as ``spec.http[0].timeout``."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


def documents(text: str, file: str) -> tuple[list[Document], list[Problem]]:
    """Every document of ``text``. Broken YAML is a Problem; what stands before it is still returned."""
    sources = _sources(text)
    found: list[Document] = []
    problems: list[Problem] = []
    try:
        for node in _yaml.compose_all(text, Loader=_Loader):
            if node is None:
                continue
            source, before = _source_at(sources, node.start_mark.line + 1)
            reader = _Reader(source or file, before, problems)
            found.append(Document(reader.value(node, ()), reader.file, reader.lines))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        source, before = _source_at(sources, line)
        place = Place(source or file, line - before)
        text = f"this is not YAML: {error.problem or error.context}"
        problems.append(Problem(place, "MW0001", Severity.ERROR, text, "mend the syntax here or just above"))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        problems.append(
            Problem(Place(file), "MW0001", Severity.ERROR, f"this is not YAML: {str(error).splitlines()[0]}")
        )
    return found, problems


def _sources(text: str) -> list[tuple[int, str]]:
    """Helm says above each document which template made it; lines then count from there, in what the template made."""
    if _SOURCE not in text:
        return []
    lines = enumerate(text.split("\n"), 1)
    return [
        (number, line.removeprefix(_SOURCE).strip()) for number, line in lines if line.startswith(_SOURCE)
    ]


def _source_at(sources: list[tuple[int, str]], line: int) -> tuple[str, int]:
    """The template that made a line of the text, and how many lines stand before what it made."""
    return next(((name, number) for number, name in reversed(sources) if number <= line), ("", 0))


class _Reader:
    """Reads one document's nodes, noting lines and duplicate keys as it goes."""

    def __init__(self, file: str, before: int, problems: list[Problem]) -> None:
        self.file = file
        self._before = before
        self.problems = problems
        self.lines: dict[Path, int] = {}
        self._constructor = yaml.constructor.SafeConstructor()

    def value(self, node: Any, path: Path) -> Any:
        self.lines.setdefault(path, self._line(node))
        if len(path) > _DEEPEST:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=node.start_mark)
        if isinstance(node, yaml.MappingNode):
            return dict(self._pairs(node, path))
        if isinstance(node, yaml.SequenceNode):
            return [self.value(item, (*path, i)) for i, item in enumerate(node.value)]
        return self._scalar(node)

    def _line(self, node: Any) -> int:
        return int(node.start_mark.line) + 1 - self._before

    def _pairs(self, node: Any, path: Path) -> Iterator[tuple[str, Any]]:
        seen: set[str] = set()
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in seen:
                place = Place(self.file, self._line(key_node), dotted((*path, key)))
                text = f"the key {key!r} is given twice; only one of them can be meant"
                self.problems.append(Problem(place, "MW0002", Severity.ERROR, text, "remove one"))
            seen.add(key)
            self.lines[(*path, key)] = self._line(key_node)
            yield key, self.value(value_node, (*path, key))

    def _scalar(self, node: Any) -> Any:
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind in ("int", "float", "bool", "null"):
            return self._constructor.construct_object(node)
        return node.value
