"""Manifests that a command is given: files, folders, standard input, or a chart to render. Used by check, explain and test."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mesh.resources.object import Object
    from mesh.resources.problem import Problem


def chart_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--chart``, ``--values``, ``--release`` and ``--namespace``."""
    file = click.Path(exists=True, dir_okay=False, path_type=Path)
    for option in (
        click.option(
            "--namespace",
            "-n",
            default="default",
            show_default=True,
            help="Of objects that name no namespace.",
        ),
        click.option("--release", default="", help="The release's name. Default: the chart's folder."),
        click.option(
            "--values",
            "-f",
            "values",
            multiple=True,
            type=file,
            help="Values for the chart; may be given again, later ones win.",
        ),
        click.option(
            "--chart",
            type=click.Path(exists=True, path_type=Path),
            help="Render this chart, and take what comes out.",
        ),
    ):
        function = option(function)
    return function


def read(
    files: Sequence[str], chart: Path | None, values: Sequence[Path], release: str, namespace: str
) -> tuple[list[Object[Any]], list[Problem]]:
    """Every object, those of the chart last, and what is wrong with them. Raises click.UsageError for what cannot be read."""
    from mesh.resources.object import parse

    if values and chart is None:
        raise click.UsageError("--values are for --chart")
    objects: list[Object[Any]] = []
    problems: list[Problem] = []
    for name, text in _texts(files):
        made, wrong = parse(text, name, namespace)
        objects += made
        problems += wrong
    if chart:
        rendered, wrong = _rendered(chart, release or chart.resolve().name, namespace, values)
        objects += rendered
        problems += wrong
    return objects, problems


def project(file: Path, render: bool = True) -> tuple[list[Path], tuple[list[Object[Any]], list[Problem]]]:
    """The charts of a mesh.yaml and, unless nobody wants to know, what they render to with its values. Raises click.UsageError where there is none."""
    from mesh.local.config import load
    from mesh.local.release import rendered

    config, problems = load(file)
    if config is None:
        raise click.UsageError("; ".join(str(problem) for problem in problems))
    objects: list[Object[Any]] = []
    for release in config.settings.releases if render else ():
        made, wrong = rendered(config, release)
        objects += made
        problems += wrong
    return [config.root / release.chart for release in config.settings.releases], (objects, problems)


def home(file: Path, otherwise: str) -> str:
    """The namespace of a mesh.yaml's first release: where a workload is looked for whose name others have, too."""
    from mesh.local.config import load

    config, _ = load(file)
    releases = config.settings.releases if config else ()
    return releases[0].namespace if releases else otherwise


def shown(path: Path) -> str:
    """A path as messages give it: from here, where it is below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_absolute() and path.is_relative_to(here) else str(path)


def _texts(files: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(name, text) of each file. Raises click.UsageError when one cannot be read."""
    for name in files:
        if name == "-":
            yield "-", sys.stdin.read()
            continue
        path = Path(name)
        inside = sorted(p for p in path.rglob("*.y*ml") if p.suffix in (".yaml", ".yml") and p.is_file())
        for each in inside if path.is_dir() else [path]:
            try:
                yield str(each), each.read_text()
            except (OSError, UnicodeDecodeError) as error:
                raise click.UsageError(f"{each}: {getattr(error, 'strerror', '') or error}") from error


def _rendered(
    chart: Path, release: str, namespace: str, values: Sequence[Path]
) -> tuple[list[Object[Any]], list[Problem]]:
    from mesh.local.render import render
    from mesh.resources.object import parse

    made = render(chart, release, namespace, values)
    objects, problems = parse(made.text, str(chart), namespace)
    return objects, [*made.problems, *problems]
