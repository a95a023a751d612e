"""What somebody probably meant by a name that is not there."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

_MOST = 8


class Unknown(Exception):
    """Something that is asked for and is not there; the message says what is."""


def unknown(what: str, name: str, known: Iterable[str]) -> Unknown:
    """``there is no workload ordrs; did you mean orders?``"""
    names = sorted(set(known))
    near = get_close_matches(name, names, 3)
    if near:
        return Unknown(f"there is no {what} {name}; did you mean {' or '.join(near)}?")
    shown = ", ".join(names[:_MOST]) + (", ..." if len(names) > _MOST else "")
    return Unknown(f"there is no {what} {name}; there are: {shown or 'none'}")
