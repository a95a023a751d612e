"""The steps of a Markdown text: commands to run, files to write and changes to make.

In ```console ``$`` begins a command and what follows is its output, in which ``...`` stands for anything: alone on a line for any lines,
within one for any text. ``# exits with N`` is the command's exit code, which is 0 where nothing is said; ``# in a moment`` says that the
output may take some seconds to come true. ```LANGUAGE PATH is a file's text, and ```diff a change of files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_BLOCK = re.compile(r"^```(\w+) *([\w./-]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"^# exits with (\d+)$")
_SOON = "# in a moment"


@dataclass(frozen=True)
class Command:
    """``kind`` is the word after ```console; ``output`` the lines that it is to print."""

    kind: str
    text: str
    output: tuple[str, ...]
    code: int = 0
    soon: bool = False

    @property
    def program(self) -> str:
        return self.text.split()[0]

    def fits(self, code: int, printed: str) -> bool:
        """Whether it ended and printed as the text says. Spaces at the ends of lines and their number do not matter."""
        lines = [" ".join(line.split()) for line in printed.splitlines()]
        expected = re.fullmatch(_pattern(self.output), "".join(f"{line}\n" for line in lines))
        return code == self.code and expected is not None


@dataclass(frozen=True)
class File:
    """``path`` is relative to the folder in which the commands run."""

    path: str
    text: str


@dataclass(frozen=True)
class Change:
    """``diff`` is unified, of one file or several."""

    diff: str


def steps(text: str) -> Iterator[Command | File | Change]:
    """All of them, in order."""
    for language, word, body in _BLOCK.findall(text):
        if language == "console":
            yield from _commands(word, body)
        elif language == "diff":
            yield Change(body)
        elif word:
            yield File(word, body)


def _commands(kind: str, body: str) -> Iterator[Command]:
    assert body.startswith("$ "), f"a block that begins with output: {body}"
    for part in body.removeprefix("$ ").split("\n$ "):
        first, *rest = part.rstrip("\n").split("\n")
        codes = [int(found[1]) for line in rest if (found := _EXIT.match(line))]
        output = tuple(line for line in rest if not _EXIT.match(line) and line != _SOON)
        yield Command(kind, first, output, codes[0] if codes else 0, _SOON in rest)


def _pattern(output: tuple[str, ...]) -> str:
    made = ""
    for line in output:
        if line.strip() == "...":
            made += r"(?:.*\n)*?"
        else:
            words = re.escape(" ".join(line.split()))
            made += words.replace(re.escape("..."), ".*?") + r"\n"
    return made if made else r"(?:.*\n)*"
