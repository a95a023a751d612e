"""Where the mesh is that a command is about: `--file`, else mesh.yaml here or in a directory above."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

NAME = "mesh.yaml"


def file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--file``, which arrives as ``file``."""
    text = "The mesh.yaml to use. Default: the one here or in the nearest directory above."
    return click.option("--file", type=click.Path(path_type=Path), help=text)(function)


def locate(file: Path | None) -> Path:
    """The mesh.yaml, absolute. It may not exist: whoever reads it says so."""
    if file is not None:
        return file.absolute()
    here = Path.cwd()
    for directory in (here, *here.parents):
        if (directory / NAME).is_file():
            return directory / NAME
    return here / NAME
