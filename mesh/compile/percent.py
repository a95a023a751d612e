"""Percentages as the fractions that Envoy counts in."""

from __future__ import annotations

from envoy.type.v3.percent_pb2 import FractionalPercent

from mesh.resources.istio.virtualservice import Percent


def millionths(given: Percent) -> FractionalPercent:
    """What a rule says, to four decimals of a per cent."""
    return FractionalPercent(numerator=int(given.value * 10000), denominator=FractionalPercent.MILLION)


def hundredths(whole: int) -> FractionalPercent:
    return FractionalPercent(numerator=whole, denominator=FractionalPercent.HUNDRED)
