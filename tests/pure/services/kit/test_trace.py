"""W3C trace context: which headers are continued, and what becomes of the rest."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.trace import continued, under

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(("flags", "sampled"), [("01", True), ("00", False), ("03", True), ("02", False)])
def test_a_trace_is_continued_with_its_decision(flags: str, sampled: bool) -> None:
    span = continued(f"00-{TRACE}-{PARENT}-{flags}", 1.0, random.Random(1))
    assert (span.trace_id, span.parent, span.sampled) == (TRACE, PARENT, sampled)
    assert span.header == f"00-{TRACE}-{span.span_id}-{'01' if sampled else '00'}"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}",
    ],
)
def test_without_a_valid_header_a_trace_begins(header: str | None) -> None:
    span = continued(header, 1.0, random.Random(1))
    assert span.trace_id not in (TRACE, "0" * 32)
    assert (span.parent, span.sampled) == ("", True)


def test_a_later_version_is_read_as_far_as_it_is_known() -> None:
    assert continued(f"01-{TRACE}-{PARENT}-01-more", 0.0, random.Random(1)).trace_id == TRACE


@given(st.integers(), st.floats(0, 1))
def test_a_span_inside_another_shares_its_trace(seed: int, share: float) -> None:
    source = random.Random(seed)
    parent = continued(None, share, source)
    child = under(parent, source)
    assert (child.trace_id, child.parent, child.sampled) == (parent.trace_id, parent.span_id, parent.sampled)
    assert child.span_id != parent.span_id
    assert continued(parent.header, 0.0, source).trace_id == parent.trace_id
