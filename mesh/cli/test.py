"""`mesh test`: policy tests beside the charts, compared with what requests would meet."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesh.cli import manifests
from mesh.cli.project import locate
from mesh.cli.running import Running, running, running_options

if TYPE_CHECKING:
    from mesh.resources.object import Object
    from mesh.resources.problem import Problem
    from mesh.suite.coverage import Covered
    from mesh.suite.read import Read
    from mesh.suite.run import Outcome

_WRONG = 2


@click.command("test")
@click.argument("files", nargs=-1)
@manifests.chart_options
@running_options
@click.option("--live", is_flag=True, help="Ask the mesh of mesh.yaml that runs here, and send it requests.")
@click.option(
    "--requests",
    default=100,
    show_default=True,
    type=click.IntRange(1),
    help="How many to send to a mesh that runs where shares are to be counted.",
)
@click.option(
    "--tests",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Test files, or folders of them. Default: tests/*.yaml of each chart and of the charts in it.",
)
@click.option("--only", "-k", default="", metavar="TEXT", help="Only cases with this in their name.")
@click.option("--coverage", is_flag=True, help="List the routes and rules that no test touched.")
@click.option(
    "--output", "-o", type=click.Choice(["text", "json", "junit"]), default="text", show_default=True
)
def command(
    files: tuple[str, ...],
    chart: Path | None,
    values: tuple[Path, ...],
    release: str,
    namespace: str,
    file: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    live: bool,
    requests: int,
    tests: tuple[Path, ...],
    only: str,
    coverage: bool,
    output: str,
) -> None:
    """Compare what requests meet in the mesh of FILES, of a chart, or of mesh.yaml, with what its tests expect.

    Nothing runs for it, unless --live, --kubeconfig or --context names a mesh that does: its proxies are asked what they do, and requests
    that change nothing are sent. Exits with 1 when a test fails, with 2 when a file cannot be read.
    """
    if files and not (tests or chart):
        raise click.UsageError("say which --tests are for these FILES")
    asked = running(file, kubeconfig, context) if live or kubeconfig or context else None
    charts, objects, problems = _mesh(files, file, chart, values, release, namespace, asked is not None)
    suites = list(_suites(tests, charts, problems))
    if errors := [problem for problem in problems if problem.severity == "error"]:
        for problem in dict.fromkeys(errors):
            click.echo(problem, err=True)
        sys.exit(_WRONG)
    if not suites:
        raise click.UsageError("there are no tests: write tests/policies.yaml beside a chart (docs/test.md)")
    home = namespace if files or chart else manifests.home(locate(file), namespace)
    outcomes, covered = (
        _simulated(objects, suites, only, home)
        if asked is None
        else _live(asked, suites, only, home, requests)
    )
    if not outcomes:
        raise click.UsageError(f"no case has {only!r} in its name")
    _print(outcomes, covered, coverage, output)
    sys.exit(0 if all(each.passed for each in outcomes) else 1)


def _mesh(
    files: tuple[str, ...],
    file: Path | None,
    chart: Path | None,
    values: Sequence[Path],
    release: str,
    namespace: str,
    runs: bool,
) -> tuple[list[Path], list[Object[Any]], list[Problem]]:
    """The charts, and all that the mesh is made of, unless it ``runs`` anyway."""
    if not (files or chart):
        charts, (objects, problems) = manifests.project(locate(file), render=not runs)
        return charts, objects, problems
    objects, problems = ([], []) if runs else manifests.read(files, chart, values, release, namespace)
    return [chart] if chart else [], objects, problems


def _suites(tests: Sequence[Path], charts: Iterable[Path], problems: list[Problem]) -> Iterable[Read]:
    from mesh.suite.read import beside, inside, read

    named = [(path, False) for path in tests if path.is_file()]
    found = [path for folder in tests if folder.is_dir() for path in inside(folder)]
    found += [path for each in charts if not tests for path in beside(each)]
    for path, in_folder in [*named, *((path, True) for path in found)]:
        made, wrong = read(path, manifests.shown(path), in_folder)
        problems += wrong
        if made:
            yield made


def _simulated(
    objects: list[Object[Any]], suites: list[Read], only: str, home: str
) -> tuple[list[Outcome], tuple[Covered, ...]]:
    from mesh.envoy.patching import linked
    from mesh.explain.judge import answer
    from mesh.explain.question import asked
    from mesh.explain.scene import compiled
    from mesh.suite.coverage import coverage
    from mesh.suite.run import run

    mesh, _ = linked(objects)
    scene = compiled(mesh)
    outcomes = list(run(suites, lambda question: answer(asked(question, scene), scene), only, home))
    return outcomes, coverage(mesh, [each.answer for each in outcomes if each.answer])


def _live(
    asked: Running, suites: list[Read], only: str, home: str, requests: int
) -> tuple[list[Outcome], tuple[Covered, ...]]:
    from mesh.live.proven import proven
    from mesh.suite.coverage import coverage
    from mesh.suite.run import run

    live = asked.live
    prove = partial(proven, live=live, send=asked.send, requests=requests)
    outcomes = list(run(suites, prove, only, home))
    return outcomes, coverage(live.mesh, [each.answer for each in outcomes if each.answer])


def _print(outcomes: Sequence[Outcome], covered: tuple[Covered, ...], coverage: bool, output: str) -> None:
    from mesh.suite import export, report

    if output == "json":
        click.echo(json.dumps(export.plain(outcomes, covered), indent=2))
        return
    if output == "junit":
        click.echo(export.junit(outcomes))
        return
    for each in outcomes:
        for line in report.failure(each):
            click.echo(click.style(line, fg="red") if line.startswith("FAILED") else line)
    for line in report.covered(covered, coverage):
        click.echo(line)
    click.echo(report.summary(outcomes))
