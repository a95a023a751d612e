"""`mesh new service`: a service of one's own, whole from the first minute."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.project import file_option, locate
from mesh.new.service import LANGUAGES, CannotMake, make


@click.group("new")
def command() -> None:
    """Make something new in the project of mesh.yaml."""


@command.command("service")
@file_option
@click.argument("name")
@click.option(
    "--lang", type=click.Choice(LANGUAGES), default="python", show_default=True, help="What to write it in."
)
def service(file: Path | None, name: str, lang: str) -> None:
    """Make a service NAME that keeps notes: contract, code, chart with its policies, test; known to the shop, the ingress and mesh.yaml.

    Then make it yours, beginning with its contract.
    """
    root = locate(file).parent
    try:
        made = make(root, name, lang)
    except CannotMake as error:
        raise click.ClickException(str(error)) from error
    lines = [*(f"  new      {path}" for path in made.added), *(f"  changed  {path}" for path in made.changed)]
    click.echo("\n".join([*lines, "", "Try next:", "  make generate", "  make check", "  make up"]))
    click.echo(f"""  .venv/bin/mesh call {name} PutNote '{{"note": {{"id": "first", "text": "hello"}}}}'""")
