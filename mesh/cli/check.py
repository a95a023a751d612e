"""`mesh check`: what is wrong with manifests or a chart, before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from mesh.resources.object import Object
    from mesh.resources.problem import Problem


@click.command("check")
@click.argument("files", nargs=-1)
@click.option(
    "--chart",
    type=click.Path(exists=True, path_type=Path),
    help="Render this chart, and check what comes out.",
)
@click.option(
    "--values",
    "-f",
    "values",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Values for the chart; may be given again, later ones win.",
)
@click.option("--release", default="", help="The release's name. Default: the chart's folder.")
@click.option(
    "--namespace", "-n", default="default", show_default=True, help="Of objects that name no namespace."
)
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    files: tuple[str, ...],
    chart: Path | None,
    values: tuple[Path, ...],
    release: str,
    namespace: str,
    output: str,
) -> None:
    """Check the manifests in FILES (folders are searched for *.yaml and *.yml; "-" is standard input) or those of a chart.

    All are one mesh: what one names, another may define. Exits with 1 when there is an error, with 2 when
    something cannot be read; warnings alone are no error.
    """
    if not files and chart is None:
        raise click.UsageError("say which FILES to check, or --chart DIR")
    if values and chart is None:
        raise click.UsageError("--values are for --chart")
    from mesh.link.link import link

    objects, problems = _read(files, namespace)
    if chart:
        rendered, wrong = _rendered(chart, release or chart.resolve().name, namespace, values)
        objects += rendered
        problems += wrong
    problems += link(objects)[1]
    found = sorted(dict.fromkeys(problems))
    errors = sum(problem.severity == "error" for problem in found)
    if output == "json":
        click.echo(json.dumps([_plain(problem) for problem in found], indent=2))
    else:
        for line in _lines(found, len(objects)):
            click.echo(line)
    sys.exit(1 if errors else 0)


def _read(files: Sequence[str], namespace: str) -> tuple[list[Object[Any]], list[Problem]]:
    from mesh.resources.object import parse

    objects: list[Object[Any]] = []
    problems: list[Problem] = []
    for name, text in _texts(files):
        made, wrong = parse(text, name, namespace)
        objects += made
        problems += wrong
    return objects, problems


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


def _plain(problem: Problem) -> dict[str, object]:
    place = problem.place
    return {
        "file": place.file,
        "line": place.line,
        "path": place.path,
        "code": problem.code,
        "severity": str(problem.severity),
        "message": problem.message,
        "fix": problem.fix,
    }


def _lines(found: Sequence[Problem], objects: int) -> Iterator[str]:
    for problem in found:
        yield f"{problem.place}: {problem.code} {problem.severity} {problem.message}"
        if problem.fix:
            yield f"    {problem.fix}"
    errors = sum(problem.severity == "error" for problem in found)
    counts = f"{_count(errors, 'error')}, {_count(len(found) - errors, 'warning')}"
    yield f"{_count(objects, 'object')}: {counts if found else 'nothing wrong'}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
