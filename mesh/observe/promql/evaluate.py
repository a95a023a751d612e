"""A parsed question and moments -> its value at each of them. Used by answer.

Every node is evaluated once for all moments: rows of values, not one moment after the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from mesh.observe.promql import aggregate, binary
from mesh.observe.promql.functions import FUNCTIONS
from mesh.observe.promql.nodes import (
    Aggregate,
    BadQuery,
    Binary,
    Call,
    Negative,
    Node,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
)
from mesh.observe.promql.rows import (
    Row,
    Scalar,
    Value,
    Vector,
    Window,
    Windows,
    Words,
    filled,
    merged,
    nameless,
)
from mesh.observe.promql.select import Asked, edges, instant, moments, ranges

_MOST_STEPS: Final = 20_000


class Evaluation:
    """Of the questions' parts at ``times``, ms since 1970. Its methods raise BadQuery and CannotAnswer."""

    def __init__(self, asked: Asked, times: Sequence[int]) -> None:
        self.asked = asked
        self.times = times

    def value(self, node: Node) -> Value:
        match node:
            case Number(value):
                return Scalar([value] * len(self.times))
            case Text(value):
                return Words(value)
            case Selector():
                return filled(instant(node, self.times, self.asked))
            case Negative(of):
                return self._negative(of)
            case Binary():
                return self._binary(node)
            case Aggregate():
                return filled(self._aggregate(node))
            case Call(name, arguments):
                if name not in FUNCTIONS:
                    raise BadQuery(f"the function {name}() is not answered here")
                return FUNCTIONS[name](self, arguments)
            case _:
                raise BadQuery("a range of samples is needed only by a function that takes one")

    def vector(self, node: Node) -> Vector:
        found = self.value(node)
        if not isinstance(found, list):
            raise BadQuery("expected an instant vector")
        return found

    def scalar(self, node: Node) -> Scalar:
        found = self.value(node)
        if not isinstance(found, Scalar):
            raise BadQuery("expected a scalar")
        return found

    def text(self, node: Node) -> str:
        if not isinstance(node, Text):
            raise BadQuery("expected a string")
        return node.value

    def windows(self, node: Node) -> Windows:
        """What a range vector has in range at each moment."""
        match node:
            case Range(of, length):
                return ranges(of, length, self.times, self.asked)
            case Subquery():
                return self._subquery(node)
            case _:
                raise BadQuery("expected a range of samples, such as [5m]")

    def _subquery(self, node: Subquery) -> Windows:
        """Its question at each multiple of its step, as far as any range reaches."""
        ends = moments(self.times, node.offset, node.at, self.asked)
        step = node.step or self.asked.interval
        first = (min(ends) - node.length) // step + 1
        times = range(first * step, max(ends) + 1, step)
        if len(times) > _MOST_STEPS:
            raise BadQuery(f"a subquery has at most {_MOST_STEPS} steps: ask for a longer step")
        if not times:
            return []
        rows = Evaluation(self.asked, times).vector(node.of)
        return [_window(row, times, ends, node.length) for row in rows]

    def _negative(self, of: Node) -> Value:
        found = self.value(of)
        if isinstance(found, Scalar):
            return Scalar([-value for value in found.values])
        return merged(
            Row(nameless(row.labels), [None if value is None else -value for value in row.values])
            for row in self.vector(of)
        )

    def _binary(self, node: Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        match left, right:
            case Scalar(), Scalar():
                return binary.of_scalars(node.op, left, right)
            case list(), Scalar():
                return binary.with_scalar(node.op, left, right, swapped=False, as_bool=node.bool)
            case Scalar(), list():
                return binary.with_scalar(node.op, right, left, swapped=True, as_bool=node.bool)
            case list(), list():
                return binary.of_vectors(node.op, left, right, node.matching, node.bool)
            case _:
                raise BadQuery("binary expression must contain only scalar and instant vector types")

    def _aggregate(self, node: Aggregate) -> Vector:
        rows, by = self.vector(node.of), node.grouping
        if found := aggregate.OF_GROUP.get(node.op):
            return aggregate.aggregated(rows, by, found)
        if node.parameter is None:
            raise BadQuery(f"the aggregation {node.op} is not answered here")
        if node.op == "count_values":
            return aggregate.values_counted(rows, by, self.text(node.parameter))
        numbers = self.scalar(node.parameter).values
        if node.op == "quantile":
            return aggregate.quantiles(rows, by, numbers)
        if node.op not in ("topk", "bottomk"):
            raise BadQuery(f"the aggregation {node.op} is not answered here")
        counts = [aggregate.finite_count(number) for number in numbers]
        return aggregate.extremes(rows, by, counts, largest=node.op == "topk")


def _window(row: Row, times: Sequence[int], ends: Sequence[int], length: int) -> Window:
    there = [(time, value) for time, value in zip(times, row.values, strict=True) if value is not None]
    at = [time for time, _ in there]
    return Window(row.labels, at, [value for _, value in there], *edges(at, ends, length), ends, length)
