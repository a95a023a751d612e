"""`mesh check`: what is wrong with manifests or a chart, before anything runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesh.cli import manifests

if TYPE_CHECKING:
    from mesh.resources.object import Object
    from mesh.resources.problem import Problem


@click.command("check")
@click.argument("files", nargs=-1)
@manifests.chart_options
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the services promise: a contract.yaml, or a set of proto descriptors. Default: every contract.yaml of the chart.",
)
@click.option(
    "--output",
    "-o",
    type=click.Choice(["text", "json", "sarif", "github"]),
    default="text",
    show_default=True,
)
def command(
    files: tuple[str, ...],
    chart: Path | None,
    values: tuple[Path, ...],
    release: str,
    namespace: str,
    contracts: tuple[Path, ...],
    output: str,
) -> None:
    """Check the manifests in FILES (folders are searched for *.yaml and *.yml; "-" is standard input) or those of a chart.

    All are one mesh: what one names, another may define. With the services' contracts it also finds what no method bears, as a retry of
    one that must not be repeated. Exits with 1 when there is an error, with 2 when
    something cannot be read; warnings alone are no error.
    """
    if not files and chart is None:
        raise click.UsageError("say which FILES to check, or --chart DIR")
    objects, problems = manifests.read(files, chart, values, release, namespace)
    problems += _found(objects, contracts, chart)
    found = sorted(dict.fromkeys(problems))
    for line in _shown(found, len(objects), chart, output):
        click.echo(line)
    sys.exit(1 if any(problem.severity == "error" for problem in found) else 0)


def _found(objects: list[Object[Any]], contracts: tuple[Path, ...], chart: Path | None) -> list[Problem]:
    """What is wrong with the objects together, and with what they do to the services' contracts."""
    from mesh.contract.check import check
    from mesh.contract.read import beside, read
    from mesh.envoy.patching import linked

    mesh, problems = linked(objects)
    known, wrong = read(contracts or beside([chart] if chart else []))
    return [*problems, *wrong, *check(mesh, known)]


def _shown(found: Sequence[Problem], objects: int, chart: Path | None, output: str) -> Iterable[str]:
    from mesh.cli import findings

    find = findings.on_disk(chart)
    if output == "json":
        return [json.dumps([findings.plain(problem) for problem in found], indent=2)]
    if output == "sarif":
        return [json.dumps(findings.sarif(found, find), indent=2)]
    return findings.github(found, find) if output == "github" else _lines(found, objects)


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
