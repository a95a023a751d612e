"""What Envoy prints is read as it was meant."""

from __future__ import annotations

import pytest

from mesh.observe.exposition import Sample, samples


@pytest.mark.parametrize(
    ("line", "sample"),
    [
        ("up 1", Sample("up", {}, 1)),
        ('a{b="c"} 2.5', Sample("a", {"b": "c"}, 2.5)),
        ('a{b="c",d="e,f}"} +Inf', Sample("a", {"b": "c", "d": "e,f}"}, float("inf"))),
        (r'a{b="\\ \" \n"} 0', Sample("a", {"b": '\\ " \n'}, 0)),
        ('a{b=""} 1e3', Sample("a", {"b": ""}, 1000)),
    ],
)
def test_a_line_is_a_sample(line: str, sample: Sample) -> None:
    assert list(samples(line)) == [sample]


def test_what_is_none_is_passed_over() -> None:
    assert list(samples("# TYPE up counter\n\nnonsense\nup 1")) == [Sample("up", {}, 1)]


def test_only_those_asked_for_are_read() -> None:
    assert [each.name for each in samples("envoy_istio_a 1\nenvoy_b 1", "envoy_istio_")] == ["envoy_istio_a"]
