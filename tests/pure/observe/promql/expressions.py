"""Any expressions of PromQL over the history, for hypothesis: the deeper, the rarer."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

_VECTORS: Final = (
    "temperature",
    "strange",
    "up",
    "pod_info",
    "istio_requests_total",
    'istio_requests_total{reporter="source"}',
    'istio_requests_total{destination_workload=~"catalog.*|orders-v1",grpc_response_status!=""}',
    'temperature{version!~"v2"}',
    "istio_request_duration_milliseconds_bucket",
    "nothing",
)
_COUNTERS: Final = tuple(each for each in _VECTORS if each.startswith("istio"))
_OFFSETS: Final = ("", "", " offset 95s", " offset -1m", " @ 1700000500", " @ start()", " @ end() offset 10s")
_RANGES: Final = ("20s", "1m", "2m", "7m")
#: Never without a step in it, since Prometheus looks for mistakes in what has `@` even then. No multiple of a step: whether a range holds its start is what Prometheus 2 and 3 differ in.
_OF_SUBQUERIES: Final = ("20700ms", "61300ms", "119100ms", "7m1ms")
_LABELS: Final = ("pod", "version", "reporter", "destination_workload", "source_workload", "le", "nothing")
_OF_RANGE: Final = (
    "irate", "delta", "idelta", "deriv", "changes", "resets", "avg_over_time", "min_over_time",
    "max_over_time", "sum_over_time", "count_over_time", "last_over_time", "present_over_time", "stddev_over_time",
)  # fmt: skip
_OF_VECTOR: Final = (
    "abs",
    "ceil",
    "floor",
    "sgn",
    "round",
    "timestamp",
    "absent",
    "-",
    "vector(scalar",
    "sqrt",
)
_AGGREGATIONS: Final = ("sum", "avg", "min", "max", "count", "group")
_OPERATORS: Final = ("+", "-", "*", "/", "%", "==", "!=", ">", "<=", "> bool", "and", "or", "unless")
_NUMBERS: Final = ("0", "1", "-3", "0.5", "100", "1e6")

_labels = st.lists(st.sampled_from(_LABELS), max_size=3, unique=True).map(", ".join)
_selectors = st.tuples(st.sampled_from(_VECTORS), st.sampled_from(_OFFSETS)).map("".join)
_numbers = st.sampled_from(_NUMBERS)


def _rates() -> st.SearchStrategy[str]:
    """Only of what begins with nothing or with much: see history."""
    of = st.tuples(st.sampled_from(_COUNTERS), st.sampled_from(_RANGES), st.sampled_from(_OFFSETS))
    return st.tuples(st.sampled_from(("rate", "increase")), of).map(
        lambda e: f"{e[0]}({e[1][0]}[{e[1][1]}]{e[1][2]})"
    )


def _ranged(vector: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    plain = st.tuples(st.sampled_from(_VECTORS), st.sampled_from(_RANGES), st.sampled_from(_OFFSETS))
    sub = st.tuples(vector, st.sampled_from(_OF_SUBQUERIES), st.sampled_from(("7s", "20s")))
    return plain.map(lambda e: f"{e[0]}[{e[1]}]{e[2]}") | sub.map(lambda e: f"({e[0]})[{e[1]}:{e[2]}]")


def _deeper(vector: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    by = st.tuples(st.sampled_from(("by", "without")), _labels).map(lambda e: f"{e[0]} ({e[1]})")
    matching = st.tuples(st.sampled_from(("on", "ignoring")), _labels).map(lambda e: f"{e[0]} ({e[1]})")
    call = st.tuples(st.sampled_from(_OF_RANGE), _ranged(vector)).map(lambda e: f"{e[0]}({e[1]})")
    each = st.tuples(st.sampled_from(_OF_VECTOR), vector).map(
        lambda e: f"{e[0]}({e[1]})" + ")" * e[0].count("(")
    )
    aggregation = st.tuples(st.sampled_from(_AGGREGATIONS), by, vector).map(
        lambda e: f"{e[0]} {e[1]} ({e[2]})"
    )
    quantile = st.tuples(_numbers, by, vector).map(lambda e: f"quantile {e[1]} ({e[0]}, {e[2]})")
    histogram = st.tuples(_numbers, vector).map(lambda e: f"histogram_quantile({e[0]}, {e[1]})")
    binary = st.tuples(vector, st.sampled_from(_OPERATORS), matching | st.just(""), vector | _numbers)
    return (
        call
        | each
        | aggregation
        | quantile
        | histogram
        | binary.map(lambda e: f"({e[0]}) {e[1]} {e[2]} ({e[3]})")
    )


expressions = st.recursive(_selectors, _deeper, max_leaves=5)
