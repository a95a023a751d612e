"""Unquoted words are read as kubectl reads them (asked of kubectl create --dry-run=client)."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.resources.scalartext import value
from mesh.resources.tree import documents

YES = "y Y yes Yes YES true True TRUE on On ON"
NO = "n N no No NO false False FALSE off Off OFF"
TEXT = "tRue nUll -- _1 0x 0b 0b12 0o 1e 1.2.3 1e400 12:30 12:30:45 2024-01-01 1s 10% a:b = v1"
READ: dict[str, Any] = {
    **dict.fromkeys(YES.split(), True),
    **dict.fromkeys(NO.split(), False),
    **dict.fromkeys(("~", "null", "Null", "NULL")),
    **{
        "1": 1,
        "+1": 1,
        "-1": -1,
        "1_000": 1000,
        "1_": 1,
        "0x1F": 31,
        "0X1f": 31,
        "0x_1": 1,
        "0b11": 3,
        "-0b11": -3,
    },
    **{
        "01": 1,
        "0777": 511,
        "0o7": 7,
        "08": 8.0,
        "0_1": 1,
        "1.0": 1.0,
        "1.": 1.0,
        ".5": 0.5,
        "-.5": -0.5,
        "0.1_0": 0.1,
    },
    **{"1e3": 1000.0, "1E3": 1000.0, "1.5e+3": 1500.0, ".inf": math.inf, "-.Inf": -math.inf},
    **{word: word for word in TEXT.split()},
    **{
        "'1'": "1",
        '"yes"': "yes",
        "!!str 1": "1",
        "!!int '3'": 3,
        "!!bool yes": True,
        "!!float 3": 3.0,
        "": None,
    },
}


@pytest.mark.parametrize(("word", "expected"), READ.items())
def test_a_word_is_read_as_kubernetes_reads_it(word: str, expected: Any) -> None:
    found, problems = documents(f"key: {word}\n", "file")
    assert problems == []
    assert (found[0].data["key"], type(found[0].data["key"])) == (expected, type(expected))


@given(st.text(alphabet="0123456789xXoObBeE+-._:abcyn~", min_size=1, max_size=12))
def test_any_word_is_a_value(word: str) -> None:
    assert isinstance(value(word), (str, int, float, bool, type(None)))
