"""Whether an expression is RE2, which Envoy matches with and istiod checks with Go's engine of the same syntax.

Source: https://github.com/google/re2/wiki/Syntax and Go's regexp/syntax/parse.go (Perl flags), of which this reads the grammar only.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from mesh.link.regexclasses import POSIX, UNICODE

#: Istio's limit for an expression (validateStringRegexp).
LONGEST: Final = 1024
_MOST_REPEATS: Final = 1000
_REPEAT: Final = re.compile(r"\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}", re.ASCII)
_NAMED: Final = re.compile(r"\(\?P?<([^>]*)>")
_FLAGS: Final = re.compile(r"\(\?[imsU]*(?:-[imsU]+)?([:)])")
_UNICODE: Final = re.compile(r"\\[pP](?:\{\^?([^}]*)\}|([^{]))", re.DOTALL)
_POSIX: Final = re.compile(r"\[:\^?(.*?):\]", re.DOTALL)
_ESCAPE: Final = re.compile(
    r"\\(?:[1-7][0-7]{1,2}|0[0-7]{0,2}|x[0-9A-Fa-f]{2}|x\{[0-9A-Fa-f]+\}|[afnrtv]|(?![0-9A-Za-z])[\x00-\x7f])",
    re.DOTALL,
)
_ANYWHERE: Final = re.compile(r"\\[dswDSW]")
_OUTSIDE: Final = re.compile(r"\\[AbBz]")
_NOTHING_TO_REPEAT: Final = "there is nothing to repeat before "


class _NotRE2(Exception):
    """Says what is wrong."""


@lru_cache(maxsize=8192)
def mistake(expression: str) -> str:
    """What keeps an expression from being RE2, or nothing."""
    if not expression:
        return "it is empty"
    if len(expression.encode()) > LONGEST:
        return f"it has {len(expression.encode())} bytes, more than Istio's {LONGEST}"
    try:
        _Reader(expression).read()
    except _NotRE2 as wrong:
        return str(wrong)
    return ""


class _Reader:
    """Reads an expression from left to right.

    ``_groups`` has, for the whole and for each group that is open, how often its most repeated part is repeated; ``_last`` the same of
    what a repetition would repeat, None when there is nothing; ``_repeated``: that is a repetition already.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._groups = [1]
        self._last: int | None = None
        self._repeated = False

    def read(self) -> None:
        while self._at < len(self._text):
            repeated, self._repeated = self._repeated, False
            self._token(self._text[self._at], repeated)
        if len(self._groups) > 1:
            raise _NotRE2("a ( is never closed")

    def _token(self, first: str, repeated: bool) -> None:
        if first == "(":
            self._open()
        elif first == ")":
            self._close()
        elif first == "|":
            self._at, self._last = self._at + 1, None
        elif first in "*+?" or (first == "{" and _REPEAT.match(self._text, self._at)):
            self._repeat(first, repeated)
        elif first == "[":
            self._class()
        elif first == "\\":
            self._escape()
        else:
            self._item(self._at + 1)

    def _item(self, end: int, repeats: int = 1) -> None:
        """One thing up to ``end``, which may be repeated."""
        self._at, self._last = end, repeats
        self._groups[-1] = max(self._groups[-1], repeats)

    def _open(self) -> None:
        if not self._text.startswith("(?", self._at):
            self._enter(self._at + 1)
        elif named := _NAMED.match(self._text, self._at):
            if not re.fullmatch(r"\w+", named[1], re.ASCII):
                raise _NotRE2(f"{named[1]!r} cannot name a group")
            self._enter(named.end())
        elif flags := _FLAGS.match(self._text, self._at):
            if flags[1] == ":":
                self._enter(flags.end())
            else:
                self._at = flags.end()
        else:
            raise _NotRE2(f"RE2 does not have {self._text[self._at : self._at + 4]}")

    def _enter(self, at: int) -> None:
        self._at, self._last = at, None
        self._groups.append(1)

    def _close(self) -> None:
        if len(self._groups) == 1:
            raise _NotRE2("a ) closes nothing")
        self._item(self._at + 1, self._groups.pop())

    def _repeat(self, first: str, repeated: bool) -> None:
        found = _REPEAT.match(self._text, self._at) if first == "{" else None
        written = found[0] if found else first
        if repeated:
            raise _NotRE2(f"{written} repeats a repetition")
        if self._last is None:
            raise _NotRE2(_NOTHING_TO_REPEAT + written)
        end = self._at + len(written)
        lazy = self._text.startswith("?", end)
        self._item(end + lazy, self._last * _times(found) if found else self._last)
        if self._last > _MOST_REPEATS:
            raise _NotRE2(f"RE2 repeats at most {_MOST_REPEATS} times")
        self._repeated = True

    def _escape(self) -> None:
        if self._text.startswith(r"\Q", self._at):
            self._quoted()
            return
        for known in (_ANYWHERE, _OUTSIDE, _ESCAPE):
            if found := known.match(self._text, self._at):
                _character(found[0])
                self._item(found.end())
                return
        self._item(self._unicode(self._at))

    def _quoted(self) -> None:
        end = self._text.find(r"\E", self._at)
        stop = end if end >= 0 else len(self._text)
        if stop > self._at + 2:
            self._item(stop)
        self._at = stop + 2

    def _unicode(self, at: int) -> int:
        r"""The end of a ``\pL`` or ``\p{Greek}``; anything else is no escape."""
        found = _UNICODE.match(self._text, at)
        if not found:
            raise _NotRE2(f"RE2 does not have {self._text[at : at + 2]}")
        name = found[2] or found[1]
        if name not in UNICODE:
            raise _NotRE2(f"RE2 has no characters called {name!r}")
        return found.end()

    def _class(self) -> None:
        """``[...]``. A ] that is first stands for itself."""
        at = start = self._at + 1 + self._text.startswith("^", self._at + 1)
        while at == start or not self._text.startswith("]", at):
            at = self._members(at)
        self._item(at + 1)

    def _members(self, at: int) -> int:
        """The end of the characters, a range or a named class at ``at`` in [...]."""
        if posix := _POSIX.match(self._text, at):
            if posix[1] not in POSIX:
                raise _NotRE2(f"RE2 has no characters called {posix[0]}")
            return posix.end()
        if perl := _ANYWHERE.match(self._text, at):
            return perl.end()
        if self._text.startswith((r"\p", r"\P"), at):
            return self._unicode(at)
        end, low = self._member(at)
        if not self._text.startswith("-", end) or self._text.startswith("]", end + 1):
            return end
        last, high = self._member(end + 1)
        if high < low:
            raise _NotRE2(f"the range {self._text[at:last]} is empty")
        return last

    def _member(self, at: int) -> tuple[int, int]:
        """(end, code point) of one character in [...]."""
        if at >= len(self._text):
            raise _NotRE2("a [ is never closed")
        if self._text[at] != "\\":
            return at + 1, ord(self._text[at])
        found = _ESCAPE.match(self._text, at)
        if not found:
            raise _NotRE2(f"RE2 does not have {self._text[at : at + 2]} in [...]")
        return found.end(), _character(found[0])


def _times(found: re.Match[str]) -> int:
    """How often ``{n}``, ``{n,}`` or ``{n,m}`` repeats at most; n when it says no most."""
    least, most = int(found[1]), int(found[3]) if found[3] else None
    if max(least, most or 0) > _MOST_REPEATS:
        raise _NotRE2(f"RE2 repeats at most {_MOST_REPEATS} times")
    if most is not None and most < least:
        raise _NotRE2(f"{found[0]} repeats at most less often than at least")
    return max(1, most if most is not None else least)


_CONTROLS: Final = {"a": 7, "f": 12, "n": 10, "r": 13, "t": 9, "v": 11}


def _character(escape: str) -> int:
    """The code point that an escape stands for."""
    body = escape[1:]
    if body[0] in _CONTROLS:
        return _CONTROLS[body]
    if body[0] == "x":
        point = int(body[1:].strip("{}"), 16)
        if point > 0x10FFFF:
            raise _NotRE2(f"there is no character {escape}")
        return point
    return int(body, 8) if body.isdigit() else ord(body[0])
