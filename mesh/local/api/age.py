"""How long ago something was, in as few characters as kubectl uses."""

from __future__ import annotations

from datetime import datetime

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(timestamp: str, now: datetime) -> str:
    """From an RFC 3339 time to now: ``12s``, ``3m4s``, ``47m``, ``3h5m``, ``20h``, ``2d3h``, ``2y17d``.

    The steps are those of k8s.io/apimachinery/pkg/util/duration.HumanDuration.
    """
    try:
        seconds = int((now - datetime.fromisoformat(timestamp)).total_seconds())
    except (ValueError, TypeError):
        return "<invalid>"
    if seconds < 0:
        return "0s"
    if seconds < 2 * _MINUTE:
        return f"{seconds}s"
    if seconds < 3 * _HOUR:
        return _two(seconds, _MINUTE, "m", 1, "s", 10)
    if seconds < 2 * _DAY:
        return _two(seconds, _HOUR, "h", _MINUTE, "m", 8)
    if seconds < 2 * 365 * _DAY:
        return _two(seconds, _DAY, "d", _HOUR, "h", 8)
    return _two(seconds, 365 * _DAY, "y", _DAY, "d", 8)


def _two(seconds: int, large: int, large_name: str, small: int, small_name: str, limit: int) -> str:
    """In the large unit, and, below ``limit`` of it, with what is left in the small one."""
    whole, rest = divmod(seconds, large)
    left = rest // small
    return f"{whole}{large_name}{left}{small_name}" if whole < limit and left else f"{whole}{large_name}"
