"""`mesh check`: what is wrong with manifests or a chart, before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mesh.cli import manifests

if TYPE_CHECKING:
    from mesh.resources.problem import Problem


@click.command("check")
@click.argument("files", nargs=-1)
@manifests.chart_options
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
    from mesh.link.link import link

    objects, problems = manifests.read(files, chart, values, release, namespace)
    problems += link(objects)[1]
    found = sorted(dict.fromkeys(problems))
    errors = sum(problem.severity == "error" for problem in found)
    if output == "json":
        click.echo(json.dumps([_plain(problem) for problem in found], indent=2))
    else:
        for line in _lines(found, len(objects)):
            click.echo(line)
    sys.exit(1 if errors else 0)


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
