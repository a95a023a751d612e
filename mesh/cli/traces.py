"""`mesh traces`: the requests that the running mesh has seen, the latest first."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths

_WIDE: Final = 240
_MOST: Final = 1000
_DAY_NS: Final = 24 * 3600 * 10**9


@click.command("traces")
@click.argument("service", default="")
@file_option
@click.option(
    "--operation",
    default="",
    help="Only with a span of this name, such as shop.orders.v1.OrdersService/PlaceOrder.",
)
@click.option(
    "--min", "shortest", default=0.0, metavar="MS", help="Only with a span that took so many milliseconds."
)
@click.option("--errors", is_flag=True, help="Only with a span that failed.")
@click.option(
    "--tag", "tags", multiple=True, metavar="KEY=VALUE", help="Only with a span that has this attribute."
)
@click.option("--limit", "-n", default=20, show_default=True, type=click.IntRange(1, _MOST))
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    service: str,
    file: Path | None,
    operation: str,
    shortest: float,
    errors: bool,
    tags: Sequence[str],
    limit: int,
    output: str,
) -> None:
    """Requests that went through SERVICE (default: all), the latest first.

    One span of a trace must satisfy everything that is asked. `mesh trace ID` shows one of them.
    """
    from mesh.observe.search import Query
    from mesh.observe.summary import summary

    query = Query(
        service,
        start_ns=time.time_ns() - 2 * _DAY_NS,
        end_ns=time.time_ns() + _DAY_NS,
        operation=operation,
        shortest_ns=int(shortest * 1e6),
        tags={**dict(map(_tag, tags)), **({"error": "true"} if errors else {})},
        limit=limit,
    )
    found = list(map(summary, asked(file, lambda search: search.traces(query))))
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    elif found:
        _print(found)
    else:
        click.echo(
            "no trace of the last two days is like that; a mesh that is down has forgotten its traces",
            err=True,
        )


def asked(file: Path | None, question: Any) -> Any:
    """What ``question`` finds, given the Search of the mesh that runs. Raises ClickException where there is none."""
    from mesh.observe.search import CannotSearch, Search

    path = Paths.below(locate(file).parent).spans
    if not path.is_file():
        raise click.ClickException(
            "nothing is observed here: `mesh up` does it, unless mesh.yaml says `observatory: {enabled: false}`"
        )
    try:
        return question(Search(path))
    except CannotSearch as error:
        raise click.ClickException(str(error)) from None


def printable(text: str) -> str:
    """What somebody sent, for a terminal: nothing in it moves the cursor or changes a colour."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def _tag(text: str) -> tuple[str, str]:
    key, separator, value = text.partition("=")
    if not separator:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint="--tag")
    return key, value


def _print(found: Sequence[dict[str, Any]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column, right in (
        ("TRACE", False),
        ("TIME", False),
        ("MS", True),
        ("SPANS", True),
        ("ERRORS", True),
        ("REQUEST", False),
    ):
        table.add_column(
            column, justify="right" if right else "left", no_wrap=column != "REQUEST", overflow="fold"
        )
    for each in found:
        errors = Text(str(each["errors"]), style="red") if each["errors"] else Text("-")
        table.add_row(
            each["trace"],
            each["start"][11:23],
            f"{each['milliseconds']:.1f}",
            str(each["spans"]),
            errors,
            Text(printable(f"{each['service']} {each['request']}")),
        )
    Console(width=None if sys.stdout.isatty() else _WIDE, highlight=False).print(table)
