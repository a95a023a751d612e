"""What becomes of each span that is sent: kept, cut or refused, and counted by reason."""

from __future__ import annotations

import json
import math
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.observe import wire
from mesh.observe.limits import Limits, Reason
from mesh.observe.otlp import OTHER, Decoded, Decoder, NotReadable, from_json, from_protobuf
from mesh.observe.span import Kind, Span, Status
from mesh.observe.wire import Message
from tests.pure.observe.exports import NOW, SECOND, export, span, text


def decode(request: Message, limits: Limits = Limits()) -> Decoded:  # noqa: B008
    return Decoder(limits).decode(request, NOW)


def test_a_span_is_kept_as_it_was_sent() -> None:
    number = wire.KeyValue(key="rpc.grpc.status_code", value=wire.AnyValue(int_value=14))
    failed = wire.Status(code="STATUS_CODE_ERROR", message="no upstream")
    decoded = decode(export(span(attributes=[number], status=failed)))
    assert decoded == Decoded(
        [
            Span(
                trace_id="000102030405060708090a0b0c0d0e0f",
                span_id="08090a0b0c0d0e0f",
                parent_id="0102030405060708",
                service="catalog",
                workload="catalog-v1",
                operation="shop.catalog.v1.CatalogService/GetProduct",
                kind=Kind.SERVER,
                start_ns=NOW - SECOND,
                end_ns=NOW - SECOND // 2,
                status=Status.ERROR,
                attributes={
                    "rpc.grpc.status_code": 14,
                    "otel.status_description": "no upstream",
                    "service.instance.id": "catalog-v1-84fbd565f7-2xkqz",
                },
            )
        ]
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"trace_id": b""}, Reason.WRONG_ID),
        ({"trace_id": bytes(16)}, Reason.WRONG_ID),
        ({"trace_id": b"\1" * 8}, Reason.WRONG_ID),
        ({"span_id": b"\1" * 16}, Reason.WRONG_ID),
        ({"span_id": bytes(8)}, Reason.WRONG_ID),
        ({"parent_span_id": b"\1"}, Reason.WRONG_ID),
        ({"start_time_unix_nano": NOW + 86_400 * SECOND}, Reason.FROM_THE_FUTURE),
        ({"end_time_unix_nano": NOW + 86_400 * SECOND}, Reason.FROM_THE_FUTURE),
        ({"end_time_unix_nano": 2**64 - 1}, Reason.FROM_THE_FUTURE),
        ({"start_time_unix_nano": 0}, Reason.TOO_OLD),
        ({"start_time_unix_nano": NOW - 2 * 86_400 * SECOND}, Reason.TOO_OLD),
    ],
)
def test_a_malformed_span_is_refused_and_the_others_are_kept(changed: dict[str, Any], reason: Reason) -> None:
    decoded = decode(export(span(**changed), span()))
    assert (len(decoded.spans), decoded.refused, decoded.reasons) == (1, 1, {reason: 1})


@pytest.mark.parametrize(
    ("changed", "expected", "reason"),
    [
        (
            {"end_time_unix_nano": NOW - 2 * SECOND},
            {"end_ns": NOW - SECOND},
            Reason.ENDS_BEFORE_IT_STARTS,
        ),
        ({"parent_span_id": bytes(range(8, 16))}, {"parent_id": ""}, Reason.OWN_PARENT),
        ({"name": "x" * 100_000}, {"operation": "x" * 256}, Reason.LONG_NAME),
    ],
)
def test_an_odd_span_is_kept_as_near_as_can_be(
    changed: dict[str, Any], expected: dict[str, Any], reason: Reason
) -> None:
    [usual] = decode(export(span())).spans
    decoded = decode(export(span(**changed)))
    assert decoded == Decoded([replace(usual, **expected)], 0, Counter({reason: 1}))


def test_a_parent_of_zeros_is_none() -> None:
    assert decode(export(span(parent_span_id=bytes(8)))).spans[0].parent_id == ""


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (wire.AnyValue(bool_value=True), True),
        (wire.AnyValue(double_value=0.5), 0.5),
        (wire.AnyValue(double_value=math.nan), "nan"),
        (wire.AnyValue(double_value=-math.inf), "-inf"),
        (wire.AnyValue(bytes_value=b"\xff"), "/w=="),
        (wire.AnyValue(), ""),
        (
            wire.AnyValue(
                array_value={"values": [wire.AnyValue(int_value=1), wire.AnyValue(string_value="é")]}
            ),
            r'[1, "\u00e9"]',
        ),
        (wire.AnyValue(kvlist_value={"values": [text("a", "b")]}), '{"a": "b"}'),
    ],
)
def test_every_kind_of_value_has_a_plain_form(value: Message, expected: object) -> None:
    [found] = decode(export(span(attributes=[wire.KeyValue(key="key", value=value)]))).spans
    assert found.attributes["key"] == expected


@pytest.mark.parametrize(
    ("attributes", "kept"),
    [
        ([text("big", "x" * 1_000_000)], {"big": 4096}),
        ([text("k" * 1_000_000, "x"), text("next", "x")], {"next": 1}),
        ([text(f"key{n:06}", "") for n in range(10_000)], {f"key{n:06}": 0 for n in range(128)}),
        ([text(f"key{n}", "x" * 4096) for n in range(9)], {f"key{n}": 4096 for n in range(3)}),
    ],
)
def test_huge_attributes_are_cut(attributes: list[Message], kept: dict[str, int]) -> None:
    decoded = decode(export(span(attributes=attributes), resource={"service.name": "catalog"}))
    assert {key: len(str(value)) for key, value in decoded.spans[0].attributes.items()} == kept
    assert decoded.reasons == {Reason.ATTRIBUTES_CUT: 1}


def test_a_hundred_thousand_operations_become_a_thousand_and_one() -> None:
    decoded = decode(export(*(span(name=f"GET /products/{n}") for n in range(100_000))))
    names = Counter(each.operation for each in decoded.spans)
    assert len(names) == 1001
    assert names[OTHER] == decoded.reasons[Reason.TOO_MANY_OPERATIONS] == 99_000


def test_all_services_together_have_so_many_operations() -> None:
    decoder = Decoder(Limits(operations=3, names=4))
    kept = [
        [
            each.operation
            for each in decoder.decode(export(*named, resource={"service.name": service}), NOW).spans
        ]
        for service in ("a", "b")
        for named in [[span(name=f"op{n}") for n in range(4)]]
    ]
    assert kept == [["op0", "op1", "op2", OTHER], ["op0", OTHER, OTHER, OTHER]]


def test_services_beyond_the_limit_are_refused_until_an_hour_has_passed() -> None:
    decoder = Decoder(Limits(services=2))
    later = NOW + 3600 * SECOND
    sent = [("a", NOW), ("b", NOW), ("c", NOW), ("a", NOW), ("c", later)]
    took = [
        len(
            decoder.decode(export(span(start_time_unix_nano=now), resource={"service.name": name}), now).spans
        )
        for name, now in sent
    ]
    assert took == [1, 1, 0, 1, 1]


@pytest.mark.parametrize(
    ("resource", "service", "workload"),
    [
        ({}, "unknown_service", "unknown_service"),
        ({"service.name": "catalog"}, "catalog", "catalog"),
        ({"service.name": "catalog", "k8s.deployment.name": "catalog-v2"}, "catalog", "catalog-v2"),
        ({"service.name": "catalog", "k8s.pod.name": "catalog-canary-blues"}, "catalog", "catalog"),
        ({"service.name": "catalog", "k8s.pod.name": "catalog-v2-84fbd565f7-2xkqz"}, "catalog", "catalog-v2"),
        ({"service.name": "catalog", "k8s.pod.name": "catalog-v2-0a1e3b5c7f-a1e3o"}, "catalog", "catalog-v2"),
        ({"service.name": "catalog", "service.instance.id": "627cc493-f310"}, "catalog", "catalog"),
    ],
)
def test_a_workload_is_told_or_read_off_its_pod(
    resource: dict[str, str], service: str, workload: str
) -> None:
    [found] = decode(export(span(), resource=resource)).spans
    assert (found.service, found.workload) == (service, workload)


@pytest.mark.parametrize(
    ("node", "workload"),
    [
        ("sidecar~10.0.0.1~orders-v1-7d9c5b8f6d-kx2vq.shop~shop.svc.cluster.local", "orders-v1"),
        ("sidecar~10.0.0.1~job-runner.shop~shop.svc.cluster.local", "orders.shop"),
        ("~", "orders.shop"),
    ],
)
def test_a_proxys_workload_is_read_off_its_node_id(node: str, workload: str) -> None:
    sent = span(attributes=[text("node_id", node)])
    [found] = decode(export(sent, resource={"service.name": "orders.shop"})).spans
    assert found.workload == workload


def as_json(trace_id: object = "000102030405060708090A0B0C0D0E0F") -> dict[str, Any]:
    sent = {
        "traceId": trace_id,
        "spanId": "08090a0b0c0d0e0f",
        "parentSpanId": "0102030405060708",
        "name": "shop.catalog.v1.CatalogService/GetProduct",
        "kind": 2,
        "startTimeUnixNano": str(NOW - SECOND),
        "endTimeUnixNano": NOW - SECOND // 2,
        "somethingNew": {"traceId": [1]},
    }
    attribute = {"key": "service.name", "value": {"stringValue": "catalog"}}
    pod = {"key": "service.instance.id", "value": {"stringValue": "catalog-v1-84fbd565f7-2xkqz"}}
    resource = {"attributes": [attribute, pod]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [sent]}]}]}


def test_json_says_the_same_as_protobuf() -> None:
    assert decode(from_json(json.dumps(as_json()).encode())) == decode(export(span()))


@pytest.mark.parametrize("trace_id", ["xyz", "00", 7, None, [], {}])
def test_an_id_in_json_that_is_no_hex_costs_only_its_span(trace_id: object) -> None:
    decoded = decode(from_json(json.dumps(as_json(trace_id)).encode()))
    assert (decoded.refused, decoded.reasons) == (1, {Reason.WRONG_ID: 1})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"7",
        b'{"resourceSpans": 7}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [null]}]}]}',
        b"[" * 100_000,
        b'{"resourceSpans":' * 5000,
        b"1" * 100_000,
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "\\ud800"}]}]}]}',
        b"\xff\xfe\x00",
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"startTimeUnixNano": -1}]}]}]}',
    ],
)
def test_json_that_is_no_export_is_not_readable(body: bytes) -> None:
    with pytest.raises(NotReadable):
        from_json(body)


@given(st.binary())
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for read in (from_protobuf, from_json):
        with suppress(NotReadable):
            decode(read(body))


@given(st.data())
def test_no_damaged_export_raises_anything_else(data: st.DataObject) -> None:
    body = bytearray(export(span(attributes=[text("key", "value")])).SerializeToString())
    for at in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=5)):
        body[at] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(body)))
    try:
        decoded = decode(from_protobuf(bytes(body[:cut])))
    except NotReadable:
        return
    assert all(_is_well_formed(each) for each in decoded.spans)


KEYS = ["resourceSpans", "scopeSpans", "spans", "traceId", "spanId", "kind", "status", "attributes", "value"]
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=20,
)


@given(SHAPES)
def test_no_shape_of_json_raises_anything_else(found: Any) -> None:
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": found}]}]}).encode()
    with suppress(NotReadable):
        decode(from_json(body))


@given(
    trace_id=st.binary(max_size=17) | st.just(b"\1" * 16),
    span_id=st.binary(max_size=9) | st.just(b"\1" * 8),
    parent_span_id=st.binary(max_size=9),
    name=st.text(),
    kind=st.integers(0, 2**31 - 1),
    start_time_unix_nano=st.integers(0, 2**64 - 1) | st.integers(NOW - SECOND, NOW + SECOND),
    end_time_unix_nano=st.integers(0, 2**64 - 1) | st.integers(NOW - SECOND, NOW + SECOND),
)
def test_every_span_is_either_well_formed_or_refused(**fields: Any) -> None:
    decoded = decode(export(span(**fields)))
    assert len(decoded.spans) + decoded.refused == 1
    assert all(_is_well_formed(each) for each in decoded.spans)


def _is_well_formed(each: Span) -> bool:
    ids = (len(each.trace_id), len(each.span_id)) == (32, 16) and len(each.parent_id) in (0, 16)
    return ids and 0 < each.start_ns <= each.end_ns < 2**63 and each.parent_id != each.span_id
