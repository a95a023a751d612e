"""An hour of samples a series, no more series than there is room for, and ends that are marked."""

from __future__ import annotations

from mesh.observe.metrics.series import NAME, STALE, Bounds, Column, Labels, Store, is_stale

A, B = {NAME: "a", "x": "1"}, {NAME: "b", "x": "1"}


def put(store: Store, at: int, *found: tuple[Labels, float]) -> None:
    series = [(store.series(labels), value) for labels, value in found]
    store.add(at, {each: value for each, value in series if each}, sum(each is None for each, _ in series))


def samples(column: Column) -> list[tuple[int, float | None]]:
    """None for an end."""
    found = enumerate(column.values, column.first)
    return [(column.times[index], None if is_stale(value) else value) for index, value in found]


def everything(store: Store, start: int = 0, end: int = 2**62) -> dict[str, list[tuple[int, float | None]]]:
    return {each.labels[NAME]: samples(each) for each in store.select(None, lambda _: True, start, end)}


def test_samples_are_found_by_name_labels_and_time() -> None:
    store = Store()
    for at in range(0, 50, 10):
        put(store, at, (A, at), (B, -at))
    found = store.select("a", lambda labels: labels["x"] == "1", 10, 30)
    assert [samples(each) for each in found] == [[(10, 10), (20, 20), (30, 30)]]
    assert store.select("a", lambda labels: labels["x"] == "2", 0, 100) == []
    assert store.select("c", lambda _: True, 0, 100) == []
    assert store.names() == ["a", "b"]


def test_a_series_that_is_in_no_round_any_more_has_ended_and_may_come_back() -> None:
    store = Store()
    put(store, 10, (A, 1), (B, 1))
    put(store, 20, (B, 2))
    put(store, 30, (B, 3))
    put(store, 40, (A, 4), (B, 4))
    assert everything(store)["a"] == [(10, 1), (20, None), (30, None), (40, 4)]
    assert [each.gaps for each in store.select("b", lambda _: True, 0, 100)] == [False]
    assert [labels for labels, _ in store.current()] == [A, B]


def test_a_nan_that_was_measured_is_no_end() -> None:
    assert is_stale(STALE)
    assert not is_stale(float("nan"))
    assert not is_stale(1.0)


def test_what_is_older_than_the_bound_is_dropped_and_series_with_it() -> None:
    store = Store(Bounds(seconds=100))
    put(store, 0, (A, 0), (B, 0))
    for at in range(1, 1000):
        put(store, at * 1000, (B, at))
    found = everything(store)
    assert found.keys() == {"b"}
    assert 100 <= len(found["b"]) <= 200
    assert found["b"][-1] == (999_000, 999)
    assert len(store) == 1


def test_there_is_room_again_when_series_have_gone() -> None:
    store = Store(Bounds(seconds=100, series=1))
    put(store, 0, (A, 0), (B, 0))
    assert (len(store), store.refused, list(everything(store))) == (1, 1, ["a"])
    for at in range(1, 200):
        put(store, at * 1000, (B, at))
    assert (store.refused, list(everything(store))) == (0, ["b"])


def test_a_clock_that_is_set_back_starts_anew() -> None:
    store = Store()
    put(store, 1000, (A, 1))
    put(store, 500, (A, 2))
    put(store, 600, (A, 3))
    assert everything(store) == {"a": [(500, 2), (600, 3)]}
