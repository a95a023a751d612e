"""The commands of a Markdown text: blocks of ```console, where ``$`` begins a command and what follows is its output.

In an output ``...`` stands for anything: alone on a line for any lines, within one for any text. ``# exits with N`` is the command's
exit code, which is 0 where nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```console *(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"^# exits with (\d+)$")


@dataclass(frozen=True)
class Command:
    """``kind`` is the word after ```console; ``output`` the lines that it is to print."""

    kind: str
    text: str
    output: tuple[str, ...]
    code: int = 0

    @property
    def program(self) -> str:
        return self.text.split()[0]

    def fits(self, printed: str) -> bool:
        """Whether what it printed is what the text says. Spaces at the ends of lines and their number do not matter."""
        lines = [" ".join(line.split()) for line in printed.splitlines()]
        return re.fullmatch(_pattern(self.output), "".join(f"{line}\n" for line in lines)) is not None


def commands(text: str) -> Iterator[Command]:
    """All of them, in order."""
    for block in _BLOCK.finditer(text):
        for part in block[2].split("\n$ ") if block[2].startswith("$ ") else ():
            first, *rest = part.removeprefix("$ ").rstrip("\n").split("\n")
            codes = [found for line in rest if (found := _EXIT.match(line))]
            output = tuple(line for line in rest if not _EXIT.match(line))
            yield Command(block[1], first, output, int(codes[0][1]) if codes else 0)


def _pattern(output: tuple[str, ...]) -> str:
    made = ""
    for line in output:
        if line.strip() == "...":
            made += r"(?:.*\n)*?"
        else:
            words = re.escape(" ".join(line.split()))
            made += words.replace(re.escape("..."), ".*?") + r"\n"
    return made if made else r"(?:.*\n)*"
