"""What was made of an object before, for as long as the object is the same one: a change then costs what it touches.

A running mesh links its objects again at every change, nearly all of which are those of the time before. Used by ``link``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

ValueT = TypeVar("ValueT")
#: By what it is: the other objects that a value was made from, and the value.
_Made = dict[str, tuple[Sequence[object], Any]]


class Memo:
    """Values by what they are and by the very objects that they were made from, which it keeps alive as long as it keeps them.

    Of an object that a whole round did not ask about, everything is forgotten.
    """

    def __init__(self) -> None:
        self._before: dict[int, tuple[object, _Made]] = {}
        self._now: dict[int, tuple[object, _Made]] = {}

    def once(
        self, what: str, of: object, make: Callable[[], ValueT], others: Sequence[object] = ()
    ) -> ValueT:
        """Made of an object, and of ``others``, the first time that it is asked for with the same ones."""
        record = self._now.get(id(of))
        if record is None:
            record = self._now[id(of)] = self._before.get(id(of)) or (of, {})
        known = record[1].get(what)
        if known is None or not _same(known[0], others):
            known = record[1][what] = (others, make())
        value: ValueT = known[1]
        return value

    def next_round(self) -> None:
        self._before, self._now = self._now, {}


def _same(one: Sequence[object], other: Sequence[object]) -> bool:
    return one is other or (len(one) == len(other) and all(a is b for a, b in zip(one, other, strict=True)))
