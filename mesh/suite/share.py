"""Shares of requests, as test files write them and as reports show them."""

from __future__ import annotations

#: Weights are whole numbers; thirds of a hundred are not.
CLOSE = 0.0005


def percent(given: int | str) -> float | None:
    """``90%``, ``33.3%`` or 90 as a share from 0 to 1; None for anything else."""
    text = str(given).removesuffix("%").strip()
    try:
        found = float(text) / 100
    except ValueError:
        return None
    return found if 0 <= found <= 1 else None


def shown(share: float) -> str:
    """0.9 as ``90%``."""
    return f"{share * 100:.4g}%"
