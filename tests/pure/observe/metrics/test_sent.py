"""What services measure themselves is kept under the names that Prometheus' own OTLP endpoint gives it, and no more than there is room for."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.observe import wire
from mesh.observe.limits import Limits, Reason
from mesh.observe.metrics.scraper import Scraper
from mesh.observe.metrics.sent import FRESH_SECONDS, Sent
from mesh.observe.metrics.series import Store
from mesh.observe.otlp import NotReadable, from_json, from_protobuf
from mesh.observe.wire import Message
from tests.pure.observe.exports import text

NOW = 1_700_000_000.0


def export(*metrics: dict[str, Any], **resource: str) -> Message:
    request = wire.MetricsRequest()
    of = request.resource_metrics.add()
    told = resource or {
        "service.name": "orders",
        "service.namespace": "shop",
        "service.instance.id": "orders-1",
    }
    of.resource.attributes.extend(text(key, value) for key, value in told.items())
    scope = of.scope_metrics.add()
    for each in metrics:
        scope.metrics.add(**each)
    return request


def counter(value: int, name: str = "shop.orders.placed", **labels: str) -> dict[str, Any]:
    point = {"as_int": value, "attributes": [text(key, each) for key, each in labels.items()]}
    return {
        "name": name,
        "sum": {"data_points": [point], "aggregation_temporality": 2, "is_monotonic": True},
    }


def kept(*metrics: dict[str, Any]) -> dict[str, float]:
    sent = Sent(Limits())
    assert not sent.take(export(*metrics), NOW)
    return {labels["__name__"]: value for labels, value in sent.current(NOW)}


def test_names_have_units_and_kinds_at_their_end() -> None:
    gauge = {"name": "outbox.lag", "unit": "s", "gauge": {"data_points": [{"as_double": 1.5}]}}
    up_and_down = {"name": "pool", "sum": {"data_points": [{"as_int": 3}], "aggregation_temporality": 2}}
    assert kept(counter(7), gauge, up_and_down) == {
        "shop_orders_placed_total": 7,
        "outbox_lag_seconds": 1.5,
        "pool": 3,
    }


def test_a_histogram_is_cumulative_buckets_a_sum_and_a_count() -> None:
    point = {"count": 6, "sum": 40.0, "bucket_counts": [1, 2, 3], "explicit_bounds": [5.0, 10.0]}
    sent = Sent(Limits())
    metric = {
        "name": "rpc.server.duration",
        "unit": "ms",
        "histogram": {"data_points": [point], "aggregation_temporality": 2},
    }
    sent.take(export(metric), NOW)
    found = {
        (labels["__name__"].removeprefix("rpc_server_duration_milliseconds"), labels.get("le")): value
        for labels, value in sent.current(NOW)
    }
    assert found == {
        ("_bucket", "5"): 1,
        ("_bucket", "10"): 3,
        ("_bucket", "+Inf"): 6,
        ("_sum", None): 40,
        ("_count", None): 6,
    }
    assert sent.types == {"rpc_server_duration_milliseconds": "histogram"}


def test_who_sent_it_is_job_and_instance_and_cannot_be_overruled() -> None:
    sent = Sent(Limits())
    sent.take(export(counter(1, job="forged", **{"rpc.method": "Get", "empty": ""})), NOW)
    [(labels, _)] = sent.current(NOW)
    assert labels == {
        "__name__": "shop_orders_placed_total",
        "job": "shop/orders",
        "instance": "orders-1",
        "rpc_method": "Get",
    }


async def test_a_round_takes_what_was_sent_lately_and_no_more(tmp_path: Any) -> None:
    sent, store = Sent(Limits()), Store()
    scraper = Scraper(tmp_path / "none", store, sent=sent.current)
    sent.take(export(counter(3)), NOW)
    await scraper.round(NOW + 1)
    await scraper.round(NOW + 1 + FRESH_SECONDS)
    [column] = store.select("shop_orders_placed_total", lambda labels: True, 0, 2**62)
    assert column.values[0] == 3
    assert math.isnan(column.values[1])
    assert not sent.current(NOW + 1 + FRESH_SECONDS)
    assert not sent.types


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "delta", "sum": {"data_points": [{"as_int": 1}], "aggregation_temporality": 1}},
        {"name": "nothing"},
        {"name": "", "gauge": {"data_points": [{"as_int": 1}]}},
        {"name": "☃", "gauge": {"data_points": [{"as_int": 1}]}},
    ],
)
def test_what_has_no_meaning_here_is_refused_and_counted(metric: dict[str, Any]) -> None:
    sent = Sent(Limits())
    assert sent.take(export(metric), NOW) == {Reason.NO_KNOWN_METRIC: 1}
    assert not sent.current(NOW)


def test_a_hundred_thousand_series_find_no_room_and_those_before_stay() -> None:
    sent = Sent(Limits(series=10))
    sent.take(export(counter(1)), NOW)
    refused = sent.take(export(*(counter(1, user=str(number)) for number in range(100_000))), NOW)
    assert refused == {Reason.TOO_MANY_SERIES: 99_991}
    sent.take(export(counter(2)), NOW)
    assert (
        2.0 in [value for labels, value in sent.current(NOW) if "user" not in labels],
        len(sent.current(NOW)),
    ) == (
        True,
        10,
    )


def test_labels_are_cut_not_trusted() -> None:
    sent = Sent(Limits(labels=2))
    sent.take(export(counter(1, a="x" * 10_000, b='"}\n<script>', c="3")), NOW)
    [(labels, _)] = sent.current(NOW)
    assert (len(labels["a"]), labels["b"], "c" in labels) == (256, '"}\n<script>', False)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(body: bytes) -> None:
    for read in (from_protobuf, from_json):
        try:
            export = read(body, wire.MetricsRequest)
        except NotReadable:
            continue
        Sent(Limits()).take(export, NOW)
