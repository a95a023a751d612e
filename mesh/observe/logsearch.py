"""Lines of the pods' logs, by trace, span, level and time: read from the files that the processes write, when somebody asks.

Input: the folder of logs, a folder a pod, of which mesh.local limits each file. Nothing is indexed, since a file is read faster than
anybody waits, and a line that nobody asks for costs nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import nlargest
from pathlib import Path
from typing import Final

from mesh.observe.logline import Line, at_least, line

LIMIT: Final = 1000
MOST: Final = 10_000
"""Lines of one answer."""

_BYTES_A_FILE: Final = 64 << 20
"""Its last ones; more than mesh.local lets a file grow to."""
_OLDER: Final = ".1"
_PROXY: Final = "istio-proxy"


@dataclass(frozen=True)
class Wanted:
    """``trace`` has 32 digits and ``span`` 16, "" for any; times are ns since 1970; ``pod`` "" for all, else the beginning of its name."""

    trace: str = ""
    span: str = ""
    level: str = "debug"
    pod: str = ""
    proxies: bool = True
    start_ns: int = 0
    end_ns: int = 2**63 - 1
    limit: int = LIMIT

    def fits(self, found: Line) -> bool:
        """A line without a time is of its neighbours', and a line of a proxy may name a trace anywhere."""
        at = found.at_ns
        return (
            (not self.trace or self.trace in found.text.lower())
            and (not self.span or self.span in found.text.lower())
            and at_least(found, self.level)
            and (at is None or self.start_ns <= at <= self.end_ns)
        )


def search(logs: Path, wanted: Wanted) -> list[Line]:
    """The latest that fit, in order of time. Files that go while they are read have nothing."""
    found = (each for file in files(logs, wanted) for each in _in_file(file, wanted))
    numbered = nlargest(
        wanted.limit, ((at, number, each) for number, (at, each) in enumerate(found)), key=_order
    )
    return [each for _, _, each in sorted(numbered, key=_order)]


def files(logs: Path, wanted: Wanted) -> Iterator[Path]:
    for pod in sorted(logs.iterdir()) if logs.is_dir() else ():
        if pod.is_dir() and pod.name.startswith(wanted.pod):
            for file in sorted(pod.glob("*.log")):
                if wanted.proxies or container(file) != _PROXY:
                    yield file


def container(file: Path) -> str:
    """Whose log that is; what a log was before it began anew is in a file beside it."""
    return file.stem.removesuffix(_OLDER)


def _order(each: tuple[int, int, Line]) -> tuple[int, int]:
    return each[0], each[1]


def _in_file(file: Path, wanted: Wanted) -> Iterator[tuple[int, Line]]:
    """With times; a line without one has that of the line before."""
    at = 0
    for written in _lines(file, wanted.trace.encode()):
        found = line(written, file.parent.name, container(file))
        at = found.at_ns if found.at_ns is not None else at
        if wanted.fits(found):
            yield at, found


def _lines(file: Path, with_text: bytes) -> Iterator[bytes]:
    data = _tail(file)
    if not with_text:
        yield from data.splitlines()
        return
    lowered, start = data.lower(), 0
    while (at := lowered.find(with_text, start)) >= 0:
        begin = data.rfind(b"\n", 0, at) + 1
        end = data.find(b"\n", at)
        start = len(data) if end < 0 else end
        yield data[begin:start]


def _tail(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            opened.seek(max(0, file.stat().st_size - _BYTES_A_FILE))
            return opened.read(_BYTES_A_FILE)
    except OSError:
        return b""
