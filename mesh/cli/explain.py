"""`mesh explain`: what a request would meet, and by which line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesh.cli import manifests
from mesh.cli.running import running, running_options

if TYPE_CHECKING:
    from mesh.explain.answer import Answer
    from mesh.explain.question import Question
    from mesh.explain.scene import Scene
    from mesh.live.scene import Live

_COLOURS = {"allowed": "green", "answered": "yellow", "divided": "yellow"}


@click.command("explain")
@click.argument("files", nargs=-1)
@click.option(
    "--from", "source", required=True, metavar="WORKLOAD", help="Who calls; a gateway for outside callers."
)
@click.option("--to", required=True, metavar="HOST[:PORT]", help="Who is called, as the caller writes it.")
@click.option(
    "--method", default="", metavar="/PACKAGE.SERVICE/METHOD", help="The gRPC method that is called."
)
@click.option("--path", default="", help="The path of a plain HTTP request, instead of --method.")
@click.option("--verb", "-X", default="GET", show_default=True, help="The HTTP method of --path.")
@click.option("--header", "-H", "headers", multiple=True, metavar="NAME:VALUE", help="May be given again.")
@click.option(
    "--jwt",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A file with the claims, as JSON, of a valid token.",
)
@manifests.chart_options
@running_options
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    files: tuple[str, ...],
    source: str,
    to: str,
    method: str,
    path: str,
    verb: str,
    headers: tuple[str, ...],
    jwt: Path | None,
    chart: Path | None,
    values: tuple[Path, ...],
    release: str,
    namespace: str,
    file: Path | None,
    kubeconfig: Path | None,
    context: str | None,
    output: str,
) -> None:
    """Say what a request would meet in the mesh of FILES (or of a chart): whether it is allowed and by which line, where it goes and in
    which shares, and what happens when that fails.

    Without FILES and --chart it is asked of the proxies of the mesh that runs here, or of a cluster, and what they do is compared with
    what the objects there say; with them and a cluster, also with the files.

    Nothing is sent for it. The answer is the exit code's business only when there is none: 2 for an unknown name.
    """
    from mesh.explain.nearest import Unknown
    from mesh.explain.question import Question
    from mesh.explain.scene import Unanswered
    from mesh.simulate.text import Unsimulated

    if method and path:
        raise click.UsageError("either --method or --path")
    given = dict(_header(text) for text in headers)
    question = Question(source, to, method, path, verb.upper(), given, _claims(jwt), namespace)
    written = _from_files(files, chart, values, release, namespace) if files or chart else None
    runs = running(file, kubeconfig, context).live if not written or kubeconfig or context else None
    try:
        answer = _answer(question, written, runs)
    except Unknown as error:
        raise click.UsageError(str(error)) from None
    except Unanswered as error:
        raise click.ClickException(str(error)) from None
    except Unsimulated as error:
        raise click.ClickException(f"this cannot be said without a proxy: {error}") from None
    if output == "json":
        click.echo(json.dumps(_plain(answer), indent=2))
    else:
        _print(answer)


def _answer(question: Question, written: Scene | None, runs: Live | None) -> Answer:
    """Of the mesh that runs where there is one, compared with what is written."""
    from mesh.explain.judge import answer
    from mesh.explain.question import asked
    from mesh.live.compared import compared

    said = answer(asked(question, written), written) if written else None
    if runs is None:
        assert said is not None
        return said
    return compared(question, runs, said)


def _from_files(
    files: tuple[str, ...], chart: Path | None, values: tuple[Path, ...], release: str, namespace: str
) -> Scene:
    from mesh.envoy.patching import linked
    from mesh.explain.scene import compiled

    objects, problems = manifests.read(files, chart, values, release, namespace)
    mesh, found = linked(objects)
    errors = [problem for problem in (*problems, *found) if problem.severity == "error"]
    for problem in dict.fromkeys(errors):
        click.echo(problem, err=True)
    return compiled(mesh)


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not NAME:VALUE", param_hint="--header")
    return name.strip().lower(), value.strip()


def _claims(file: Path | None) -> dict[str, Any] | None:
    if file is None:
        return None
    try:
        parsed = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"{file}: {error}", param_hint="--jwt") from None
    if not isinstance(parsed, dict):
        raise click.BadParameter(f"{file}: claims are a JSON object", param_hint="--jwt")
    return parsed


def _plain(answer: Answer) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(answer)


def _print(answer: Answer) -> None:
    from mesh.explain.words import headline, lines

    verdict = click.style(answer.verdict.upper(), fg=_COLOURS.get(answer.verdict, "red"), bold=True)
    click.echo(f"{verdict}  {headline(answer)}")
    for line in lines(answer):
        text = click.style(line.text, fg="red") if line.bad else line.text
        place = click.style(f"  {line.at}", dim=True) if line.at else ""
        click.echo(f"  {line.label:<8}{text}{place}")
