"""Memory as PSS: a process's own pages and its share of those it shares, so that the sum over processes is what they really take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Process:
    """One process of the mesh: ``pss`` and ``private`` are in MiB."""

    pid: int
    command: str
    pss: float
    private: float


def below(root: Path) -> list[Process]:
    """The processes whose working directory or environment lies under ``root`` (a mesh's ``.mesh``), largest first."""
    return sorted(_found(str(root.resolve())), key=lambda p: -p.pss)


def _found(root: str) -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            environment = (entry / "environ").read_bytes().decode(errors="replace")
            where = str((entry / "cwd").readlink())
            if root in where or root in environment:
                yield _process(entry)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue


def _process(entry: Path) -> Process:
    figures = dict(re.findall(r"^(\w+):\s+(\d+) kB", (entry / "smaps_rollup").read_text(), re.MULTILINE))
    private = int(figures["Private_Clean"]) + int(figures["Private_Dirty"])
    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    return Process(int(entry.name), command, int(figures["Pss"]) / 1024, private / 1024)
