"""Functions of one number: mathematics, and the calendar of a time in UTC."""

from __future__ import annotations

import calendar
import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from mesh.observe.promql.arithmetic import divided


def _or_nan(function: Callable[[float], float]) -> Callable[[float], float]:
    def found(value: float) -> float:
        try:
            return function(value)
        except ValueError:
            return math.nan
        except OverflowError:
            return math.inf

    return found


def _whole(function: Callable[[float], float]) -> Callable[[float], float]:
    """What is infinite is whole already."""
    return lambda value: float(function(value)) if math.isfinite(value) else value


def _logarithm(of: Callable[[float], float]) -> Callable[[float], float]:
    return _or_nan(lambda value: of(value) if value else -math.inf)


def _sign(value: float) -> float:
    return math.copysign(1.0, value) if value and value == value else value


def rounded(value: float, to: float) -> float:
    """To a multiple of ``to``; halves go up."""
    inverse = divided(1.0, to)
    scaled = value * inverse + 0.5
    return math.floor(scaled) / inverse if math.isfinite(scaled) else scaled / inverse


def clamped(value: float, least: float, most: float) -> float:
    if value != value or least != least or most != most:
        return math.nan
    return max(least, min(most, value))


ELEMENTWISE: Final[dict[str, Callable[[float], float]]] = {
    "abs": abs,
    "acos": _or_nan(math.acos),
    "acosh": _or_nan(math.acosh),
    "asin": _or_nan(math.asin),
    "asinh": math.asinh,
    "atan": math.atan,
    "atanh": _or_nan(math.atanh),
    "ceil": _whole(math.ceil),
    "cos": _or_nan(math.cos),
    "cosh": _or_nan(math.cosh),
    "deg": math.degrees,
    "exp": _or_nan(math.exp),
    "floor": _whole(math.floor),
    "ln": _logarithm(math.log),
    "log10": _logarithm(math.log10),
    "log2": _logarithm(math.log2),
    "rad": math.radians,
    "sgn": _sign,
    "sin": _or_nan(math.sin),
    "sinh": _or_nan(math.sinh),
    "sqrt": _or_nan(math.sqrt),
    "tan": _or_nan(math.tan),
    "tanh": math.tanh,
}


def _dated(part: Callable[[datetime], int]) -> Callable[[float], float]:
    def found(seconds: float) -> float:
        try:
            return float(part(datetime.fromtimestamp(math.floor(seconds), UTC)))
        except (ValueError, OverflowError, OSError):
            return math.nan

    return found


#: Of seconds since 1970.
DATES: Final[dict[str, Callable[[float], float]]] = {
    "day_of_month": _dated(lambda at: at.day),
    "day_of_week": _dated(lambda at: at.isoweekday() % 7),
    "day_of_year": _dated(lambda at: at.timetuple().tm_yday),
    "days_in_month": _dated(lambda at: calendar.monthrange(at.year, at.month)[1]),
    "hour": _dated(lambda at: at.hour),
    "minute": _dated(lambda at: at.minute),
    "month": _dated(lambda at: at.month),
    "year": _dated(lambda at: at.year),
}
