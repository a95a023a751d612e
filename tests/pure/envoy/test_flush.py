"""Spans leave a proxy many at a time, and soon."""

from __future__ import annotations

from mesh.envoy.bootstrap import bootstrap


def test_spans_are_sent_by_the_hundred_and_each_second() -> None:
    made = bootstrap({"id": "x", "cluster": "x"}, socket="xds.sock", admin_socket="admin.sock")
    [layer] = made["layered_runtime"]["layers"]
    assert layer["static_layer"]["tracing.opentelemetry.min_flush_spans"] >= 100
    assert layer["static_layer"]["tracing.opentelemetry.flush_interval_ms"] <= 1000
