"""OTLP traces -> spans: what is malformed is refused, what is too much is cut, and both are counted by reason.

Input: the body of an export as protobuf or JSON, from receiver. Output: spans for the store. No input raises
anything but NotReadable. Source: the OpenTelemetry protocol 1.9 and its semantic conventions.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError

from mesh.observe import attributes, wire
from mesh.observe.limits import Counts, Limits, Names, Reason
from mesh.observe.source import Source
from mesh.observe.span import Kind, Span, Status, Value
from mesh.observe.wire import Message

_Enum = TypeVar("_Enum")

OTHER = "(other operations)"
"""The name that operations beyond the limit share."""

_KINDS = (Kind.INTERNAL, *Kind)
_STATUSES = tuple(Status)

_IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
_NANOSECONDS = 1_000_000_000


class NotReadable(Exception):
    """The body is no export. The text says why, for whoever sent it."""


@dataclass
class Decoded:
    """The spans of one export, how many of it were refused, and why anything was refused or cut."""

    spans: list[Span] = field(default_factory=list)
    refused: int = 0
    reasons: Counts = field(default_factory=Counts)

    def refuse(self, reason: Reason) -> None:
        self.refused += 1
        self.reasons[reason] += 1


def from_protobuf(body: bytes, kind: Message = wire.Request) -> Message:
    """``kind`` is the message that the body should be."""
    try:
        return kind.FromString(body)
    except DecodeError as error:
        raise NotReadable(f"not an {kind.DESCRIPTOR.name}: {error}") from None


def from_json(body: bytes, kind: Message = wire.Request) -> Message:
    """OTLP's JSON is protobuf's, but for ids, which are hex instead of base64."""
    name = kind.DESCRIPTOR.name
    try:
        found = json.loads(body, object_hook=_with_base64_ids)
        if not isinstance(found, dict):
            raise NotReadable(f"not an {name} as JSON: not an object")
        return json_format.ParseDict(found, kind(), ignore_unknown_fields=True)
    except (
        json_format.ParseError,
        ValueError,
        TypeError,
        AttributeError,
        ArithmeticError,
        RecursionError,
    ) as error:
        raise NotReadable(f"not an {name} as JSON: {error}"[:300]) from None


def _with_base64_ids(found: dict[str, Any]) -> dict[str, Any]:
    for key in _IDS & found.keys():
        found[key] = base64.b64encode(_from_hex(found[key])).decode()
    return found


def _from_hex(text: object) -> bytes:
    """What is no hex becomes one byte, which is the wrong length for any id."""
    if not isinstance(text, str):
        return b"?"
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"?"


class Decoder:
    """Holds the names seen so far. Not to be shared between threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._names = Names(limits)

    def decode(self, export: Message, now_ns: int) -> Decoded:
        """``now_ns`` is nanoseconds since 1970."""
        decoded = Decoded()
        self._names.at(now_ns / _NANOSECONDS)
        for resource, found in _by_resource(export):
            self._of_resource(Source.of(resource, self._limits), found, now_ns, decoded)
        return decoded

    def _of_resource(self, source: Source, found: Iterable[Message], now_ns: int, decoded: Decoded) -> None:
        known = self._names.service(source.service)
        for each in found:
            refused = _refusal(each, now_ns, self._limits) if known else Reason.TOO_MANY_SERVICES
            if refused:
                decoded.refuse(refused)
            else:
                decoded.spans.append(self._span(each, source, decoded.reasons))

    def _span(self, found: Message, source: Source, cut: Counts) -> Span:
        start, end = found.start_time_unix_nano, found.end_time_unix_nano
        described = attributes.merge(_described(found, self._limits), source.attributes, self._limits, cut)
        if end < start:
            cut[Reason.ENDS_BEFORE_IT_STARTS] += 1
        return Span(
            trace_id=found.trace_id.hex(),
            span_id=found.span_id.hex(),
            parent_id=_parent(found, cut),
            service=source.service,
            workload=source.workload_of(described),
            operation=self._operation(source.service, found.name, cut),
            kind=_known(_KINDS, found.kind),
            start_ns=start,
            end_ns=max(start, end),
            status=_known(_STATUSES, found.status.code),
            attributes=described,
        )

    def _operation(self, service: str, name: str, cut: Counts) -> str:
        if len(name) > self._limits.name:
            cut[Reason.LONG_NAME] += 1
            name = name[: self._limits.name]
        if self._names.operation(service, name):
            return name
        cut[Reason.TOO_MANY_OPERATIONS] += 1
        return OTHER


def _by_resource(export: Message) -> Iterator[tuple[Iterable[Message], Iterator[Message]]]:
    for of_resource in export.resource_spans:
        spans = (span for scope in of_resource.scope_spans for span in scope.spans)
        yield of_resource.resource.attributes, spans


def _refusal(span: Message, now_ns: int, limits: Limits) -> Reason | None:
    """Zeros are as invalid as the wrong length: https://www.w3.org/TR/trace-context/#trace-id"""
    if len(span.trace_id) != 16 or len(span.span_id) != 8 or len(span.parent_span_id) not in (0, 8):
        return Reason.WRONG_ID
    if not any(span.trace_id) or not any(span.span_id):
        return Reason.WRONG_ID
    latest = max(span.start_time_unix_nano, span.end_time_unix_nano)
    if latest > now_ns + int(limits.ahead * _NANOSECONDS):
        return Reason.FROM_THE_FUTURE
    if span.start_time_unix_nano < now_ns - int(limits.age * _NANOSECONDS):
        return Reason.TOO_OLD
    return None


def _parent(span: Message, cut: Counts) -> str:
    if span.parent_span_id == span.span_id:
        cut[Reason.OWN_PARENT] += 1
        return ""
    return span.parent_span_id.hex() if any(span.parent_span_id) else ""


def _known(values: tuple[_Enum, ...], number: int) -> _Enum:
    """The first stands for numbers that are not defined yet."""
    return values[number] if 0 <= number < len(values) else values[0]


def _described(span: Message, limits: Limits) -> list[tuple[str, Value]]:
    value, pairs = attributes.value, islice(span.attributes, limits.attributes + 1)
    found = [(pair.key, (told := pair.value).string_value or value(told)) for pair in pairs]
    if span.status.message:
        found.append(("otel.status_description", span.status.message))
    return found
