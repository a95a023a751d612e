"""Spans come back as they were put, all of them, until they are too old or too many."""

from __future__ import annotations

import logging
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh.observe.search import Search
from mesh.observe.span import Kind, Span, Status, Value
from mesh.observe.spans import Bounds, Spans
from tests.pure.observe.exports import NOW, SECOND
from tests.pure.observe.made import made
from tests.pure.observe.serving import until

EVER = (0, 2**63 - 1, 1_000_000)


def spans(path: Path, bounds: Bounds = Bounds(), now: int = NOW) -> Spans:  # noqa: B008
    return Spans(path, bounds, lambda: now)


def kept(path: Path) -> list[Span]:
    """In order of start."""
    return Search(path).window(*EVER)[::-1]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spans.db"


values: st.SearchStrategy[Value] = (
    st.text()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
)
some_spans = st.builds(
    Span,
    trace_id=st.binary(min_size=16, max_size=16).map(bytes.hex),
    span_id=st.binary(min_size=8, max_size=8).map(bytes.hex),
    parent_id=st.sampled_from(["", "00000000000000ff"]),
    service=st.text(),
    workload=st.text(),
    operation=st.text(),
    kind=st.sampled_from(Kind),
    start_ns=st.integers(NOW, NOW + SECOND),
    end_ns=st.integers(NOW + SECOND, 2**63 - 1),
    status=st.sampled_from(Status),
    attributes=st.dictionaries(st.text(), values),
)


@settings(max_examples=30)
@given(found=st.lists(some_spans, unique_by=lambda each: (each.trace_id, each.span_id)))
def test_every_span_comes_back_as_it_was_put(
    found: list[Span], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("spans") / "spans.db"
    store = spans(path)
    assert store.put(found)
    store.close()
    assert sorted(kept(path), key=_id) == sorted(found, key=_id)


def test_a_stop_loses_nothing_and_the_next_start_finds_it(path: Path) -> None:
    store = spans(path)
    assert all(store.put([made(n) for n in range(at, at + 100)]) for at in range(0, 20_000, 100))
    store.close()
    store = spans(path)
    store.put([made(20_000)])
    store.close()
    assert [each.start_ns for each in kept(path)] == [made(n).start_ns for n in range(20_001)]


def test_what_many_threads_put_is_all_written(path: Path) -> None:
    store = spans(path)
    threads = [
        threading.Thread(target=lambda at=at: [store.put([made(at + n)]) for n in range(500)])
        for at in range(0, 4000, 500)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    store.close()
    assert (len(kept(path)), store.written) == (4000, 4000)


def test_a_span_that_is_sent_twice_is_kept_once(path: Path) -> None:
    store = spans(path)
    store.put([made(1), made(1, operation="again")])
    store.close()
    assert kept(path) == [made(1)]


async def test_a_reader_sees_spans_while_more_are_written(path: Path) -> None:
    store = spans(path)
    store.put([made(1)])
    await until(lambda: kept(path) == [made(1)])
    store.put([made(2)])
    await until(lambda: kept(path) == [made(1), made(2)])
    store.close()


def test_spans_older_than_the_limit_are_dropped_and_counted(path: Path) -> None:
    store = spans(path, Bounds(age=60), now=NOW + 3600 * SECOND)
    late = NOW + 3590 * SECOND
    store.put([*(made(n) for n in range(5000)), made(5000, start_ns=late)])
    store.close()
    assert ([each.start_ns for each in kept(path)], store.dropped.old) == ([late], 5000)


def test_over_its_size_the_file_holds_the_latest_spans_and_stays_that_size(path: Path) -> None:
    size = 4 << 20
    store = spans(path, Bounds(size=size))
    store.put([made(n, attributes={"padding": "x" * 500}) for n in range(30_000)])
    store.close()
    dropped = store.dropped.over_size
    assert [each.start_ns for each in kept(path)] == [made(n).start_ns for n in range(dropped, 30_000)]
    assert 0 < dropped < 30_000
    assert size / 2 < path.stat().st_size < size * 2


def test_a_full_queue_refuses_all_of_what_is_put(path: Path) -> None:
    store = spans(path, Bounds(queue=10))
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")  # the writer waits for this
        assert store.put([made(n) for n in range(10)])
        took = sum(store.put([made(100 + n)]) for n in range(100))
        other.rollback()
    store.close()
    assert took <= 10
    assert len(kept(path)) == 10 + took


def test_nothing_is_taken_after_the_end(path: Path) -> None:
    store = spans(path)
    store.close()
    assert not store.put([made(1)])


@pytest.mark.parametrize("content", [b"no database at all" * 100, b"SQLite format 3\0" + b"\xff" * 4080])
def test_a_file_that_is_no_database_is_started_anew(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    store = spans(path)
    store.put([made(1)])
    store.close()
    assert kept(path) == [made(1)]


def test_a_file_of_another_version_is_started_anew(path: Path) -> None:
    with closing(sqlite3.connect(path)) as old:
        old.executescript("CREATE TABLE spans (id); PRAGMA user_version = 77")
    store = spans(path)
    store.put([made(1)])
    store.close()
    assert kept(path) == [made(1)]


async def test_a_file_damaged_while_it_is_in_use_is_started_anew(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = spans(path)
    store.put([made(n) for n in range(100)])
    await until(lambda: store.written == 100)
    with closing(sqlite3.connect(path)) as other:
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.write(b"\xff" * 8192)
    with caplog.at_level(logging.WARNING):
        number = 1000
        while not store.dropped.not_written:
            store.put([made(number := number + 1)])
    store.put([made(1)])
    store.close()
    assert made(1) in kept(path)
    assert "spans are lost" in caplog.text


def test_nobody_else_may_read_the_file(path: Path) -> None:
    store = spans(path)
    store.put([made(1)])
    assert {each.stat().st_mode & 0o077 for each in path.parent.iterdir()} == {0}
    store.close()


def _id(span: Span) -> tuple[str, str]:
    return span.trace_id, span.span_id
