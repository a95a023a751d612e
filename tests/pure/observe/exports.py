"""Exports as an instrumented service sends them, to be spoilt one field at a time."""

from __future__ import annotations

from typing import Any

from mesh.observe import wire
from mesh.observe.wire import Message

NOW = 1_700_000_000_000_000_000
SECOND = 1_000_000_000
RESOURCE = {"service.name": "catalog", "service.instance.id": "catalog-v1-84fbd565f7-2xkqz"}


def text(key: str, value: str) -> Message:
    return wire.KeyValue(key=key, value=wire.AnyValue(string_value=value))


def span(**changed: Any) -> Message:
    fields = {
        "trace_id": bytes(range(16)),
        "span_id": bytes(range(8, 16)),
        "parent_span_id": bytes(range(1, 9)),
        "name": "shop.catalog.v1.CatalogService/GetProduct",
        "kind": "SPAN_KIND_SERVER",
        "start_time_unix_nano": NOW - SECOND,
        "end_time_unix_nano": NOW - SECOND // 2,
    }
    return wire.Span(**(fields | changed))


def export(*spans: Message, resource: dict[str, str] = RESOURCE) -> Message:
    request = wire.Request()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.extend(text(key, value) for key, value in resource.items())
    of_resource.scope_spans.add().spans.extend(spans)
    return request
