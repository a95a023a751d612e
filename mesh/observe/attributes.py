"""OTLP's attributes -> plain values, no more and no larger than the limits. Used by otlp alone."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from mesh.observe.limits import Counts, Limits, Reason
from mesh.observe.span import Value
from mesh.observe.wire import Message

_PLAIN = frozenset({"string_value", "bool_value", "int_value", "double_value"})


def merge(
    own: Iterable[tuple[str, Value]], resource: Mapping[str, Value], limits: Limits, cut: Counts
) -> dict[str, Value]:
    """The span's own come first and win; what is beyond a limit is left out."""
    given = list(own)
    told = dict(given)
    whole_span = {**told, **{key: each for key, each in resource.items() if key not in told}}
    if len(told) == len(given) and _within(whole_span, limits):
        return whole_span
    return _cut(given, resource, limits, cut)


def _within(attributes: Mapping[str, Value], limits: Limits) -> bool:
    """Whether nothing has to be cut: nearly always, and quickly told."""
    texts = [each for each in attributes.values() if isinstance(each, str)]
    size = sum(map(len, attributes)) + sum(map(len, texts)) + 8 * (len(attributes) - len(texts))
    return (
        size <= limits.span_text
        and len(attributes) <= limits.attributes
        and max(map(len, attributes), default=0) <= limits.name
        and max(map(len, texts), default=0) <= limits.value
    )


def _cut(
    own: Iterable[tuple[str, Value]], resource: Mapping[str, Value], limits: Limits, cut: Counts
) -> dict[str, Value]:
    kept: dict[str, Value] = {}
    room, whole = limits.span_text, True
    for key, value in (*own, *resource.items()):
        if key in kept:
            continue
        short = value[: limits.value] if isinstance(value, str) else value
        size = len(key) + (len(short) if isinstance(short, str) else 8)
        fits = size <= room and len(key) <= limits.name and len(kept) < limits.attributes
        if fits:
            kept[key] = short
            room -= size
        whole = whole and fits and short is value
    if not whole:
        cut[Reason.ATTRIBUTES_CUT] += 1
    return kept


def value(of: Message) -> Value:
    kind = of.WhichOneof("value")
    if kind not in _PLAIN:
        return _text(of)
    found: Value = getattr(of, kind)
    return found if not isinstance(found, float) or math.isfinite(found) else str(found)


def _text(of: Message) -> str:
    """Lists and maps as JSON, bytes as base64, no value as "": https://opentelemetry.io/docs/specs/otel/common/#anyvalue"""
    found = _plain(of)
    return found if isinstance(found, str) else json.dumps(found)


def _plain(of: Message) -> Any:
    match of.WhichOneof("value"):
        case "array_value":
            return [_plain(each) for each in of.array_value.values]
        case "kvlist_value":
            return {pair.key: _plain(pair.value) for pair in of.kvlist_value.values}
        case "bytes_value":
            return base64.b64encode(of.bytes_value).decode()
        case None:
            return ""
        case _:
            return value(of)
