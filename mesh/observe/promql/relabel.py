"""label_replace and label_join."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from mesh.observe.metrics.series import Labels
from mesh.observe.promql import regex
from mesh.observe.promql.rows import CannotAnswer, Row, Vector, merged

_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


def replaced(rows: Vector, target: str, template: str, source: str, pattern: str) -> Vector:
    """``target`` becomes ``template``, filled from ``source``, where that matches."""
    fill = regex.replacer(pattern, template)
    return _relabelled(rows, target, [fill(row.labels.get(source, "")) for row in rows], "label_replace")


def joined(rows: Vector, target: str, separator: str, sources: Sequence[str]) -> Vector:
    told = [separator.join(row.labels.get(source, "") for source in sources) for row in rows]
    return _relabelled(rows, target, told, "label_join")


def _relabelled(rows: Vector, target: str, values: Sequence[str | None], function: str) -> Vector:
    if not _NAME.fullmatch(target):
        raise CannotAnswer(f'invalid destination label name in {function}(): "{target}"')
    return merged(
        Row(_with(row.labels, target, value), row.values) for row, value in zip(rows, values, strict=True)
    )


def _with(labels: Labels, target: str, value: str | None) -> Labels:
    """None leaves them as they are; an empty label is none."""
    if value is None:
        return labels
    rest = {name: told for name, told in labels.items() if name != target}
    return {**rest, target: value} if value else rest
