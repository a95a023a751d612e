"""PromQL as text -> nodes. The grammar and the types of functions are promql-parser's (Prometheus' own grammar, in Rust).

Source: https://prometheus.io/docs/prometheus/latest/querying/basics/
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Any, Final

import promql_parser as pp

from mesh.observe.metrics.series import NAME
from mesh.observe.promql import regex
from mesh.observe.promql.nodes import (
    Aggregate,
    At,
    BadQuery,
    Binary,
    Call,
    Card,
    Grouping,
    Matcher,
    Matching,
    Negative,
    Node,
    Number,
    Range,
    Selector,
    Subquery,
    Text,
)

_LONGEST: Final = 64 << 10
_DEEPEST: Final = 100
_CARDS: Final[dict[str, Card]] = {
    "VectorMatchCardinality.OneToOne": "one-to-one",
    "VectorMatchCardinality.ManyToOne": "many-to-one",
    "VectorMatchCardinality.OneToMany": "one-to-many",
    "VectorMatchCardinality.ManyToMany": "many-to-many",
}
_EVERYTHING: Final = Grouping(frozenset(), by=False)
_SETS: Final = ("and", "or", "unless")


@lru_cache(maxsize=512)
def parse(query: str) -> Node:
    """Raises BadQuery, in Prometheus' words where it says the same."""
    if len(query) > _LONGEST or _depth(query) > _DEEPEST:
        raise BadQuery(
            f"a query has at most {_LONGEST} characters, and parentheses {_DEEPEST} deep; ask for less at a time"
        )
    try:
        return _node(pp.parse(query))
    except ValueError as error:
        raise BadQuery(f"parse error: {error}") from None


def _depth(query: str) -> int:
    """The deepest that its parentheses could go, signs before them counted in."""
    deep = deepest = 0
    for each in query:
        deep = deep + 1 if each in "(-+^" else deep - 1 if each == ")" else deep
        deepest = max(deepest, deep)
    return deepest


def _node(found: Any) -> Node:
    match found:
        case pp.ParenExpr():
            return _node(found.expr)
        case pp.NumberLiteral():
            return Number(found.val)
        case pp.StringLiteral():
            return Text(found.val)
        case pp.VectorSelector():
            return _selector(found)
        case pp.MatrixSelector():
            return Range(_selector(found.vector_selector), _ms(found.range))
        case pp.SubqueryExpr():
            step = _ms(found.step) if found.step else None
            return Subquery(_node(found.expr), _ms(found.range), step, _ms(found.offset), _at(found.at))
        case pp.UnaryExpr():
            return Negative(_node(found.expr))
        case pp.Call():
            return Call(found.func.name, tuple(_node(each) for each in found.args))
        case pp.AggregateExpr():
            return _aggregate(found)
        case pp.BinaryExpr():
            return _binary(found)
        case _:
            raise BadQuery(f"not answered here: {type(found).__name__}")


def _aggregate(found: pp.AggregateExpr) -> Aggregate:
    modifier = found.modifier
    by = modifier is None or modifier.type == pp.AggModifierType.By
    grouping = Grouping(frozenset(modifier.labels if modifier else ()), by)
    parameter = _node(found.param) if found.param is not None else None
    return Aggregate(str(found.op), _node(found.expr), parameter, grouping)


def _binary(found: pp.BinaryExpr) -> Binary:
    op, modifier = str(found.op), found.modifier
    left, right = _node(found.lhs), _node(found.rhs)
    if modifier is None:
        return Binary(op, left, right, Matching("many-to-many" if op in _SETS else "one-to-one", _EVERYTHING))
    fill = modifier.fill_values
    if fill.lhs is not None or fill.rhs is not None:
        raise BadQuery("fill modifiers are not answered here")
    by = _EVERYTHING
    if told := modifier.matching:
        by = Grouping(frozenset(told.labels), told.type == pp.LabelModifierType.Include)
    matching = Matching(_CARDS[str(modifier.card)], by, tuple(modifier.group_labels or ()))
    return Binary(op, left, right, matching, modifier.return_bool)


def _selector(found: pp.VectorSelector) -> Selector:
    if found.matchers.or_matchers:
        raise BadQuery("matchers that are joined by 'or' are not answered here")
    matchers = [_matcher(each) for each in found.matchers.matchers]
    names = [each.equals for each in matchers if each.label == NAME and each.equals]
    name = found.name or (names[0] if names else None)
    return Selector(name, tuple(matchers), _ms(found.offset), _at(found.at))


def _matcher(found: pp.Matcher) -> Matcher:
    name, value = found.name, found.value
    match found.op:
        case pp.MatchOp.Equal:
            return Matcher(name, value.__eq__, equals=value)
        case pp.MatchOp.NotEqual:
            return Matcher(name, value.__ne__)
        case pp.MatchOp.Re:
            return Matcher(name, regex.whole(value))
        case _:
            fits = regex.whole(value)
            return Matcher(name, lambda told: not fits(told))


def _ms(found: timedelta | None) -> int:
    return round(found / timedelta(milliseconds=1)) if found else 0


def _at(found: pp.AtModifier | None) -> At:
    if found is None:
        return None
    if found.type == pp.AtModifierType.Start:
        return "start"
    if found.type == pp.AtModifierType.End:
        return "end"
    if found.at is None:
        raise BadQuery("@ needs a time")
    return round(found.at.timestamp() * 1000)
