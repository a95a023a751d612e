"""Chance, drawn from a seed. Every choice of a random mesh is made here, so that a seed is a mesh."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")


class Dice:
    """A seeded source of choices."""

    def __init__(self, seed: int | str) -> None:
        self._random = Random(seed)

    def chance(self, probability: float) -> bool:
        return self._random.random() < probability

    def one(self, choices: Sequence[T]) -> T:
        return self._random.choice(choices)

    def some(self, choices: Sequence[T], least: int = 0, most: int | None = None) -> list[T]:
        """Several of the choices, each at most once, in a random order."""
        largest = min(len(choices), len(choices) if most is None else most)
        return self._random.sample(choices, self._random.randint(min(least, largest), largest))

    def times(self, least: int, most: int, make: Callable[[], T]) -> list[T]:
        return [make() for _ in range(self._random.randint(least, most))]

    def number(self, least: int, most: int) -> int:
        return self._random.randint(least, most)

    def fields(self, **fields: tuple[float, Callable[[], Any]]) -> dict[str, Any]:
        """A mapping in which each field stands with its probability."""
        return {name: make() for name, (probability, make) in fields.items() if self.chance(probability)}
