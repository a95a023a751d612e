"""`mesh trace ID`: one request as a waterfall."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mesh.cli.project import file_option, locate
from mesh.cli.traces import asked, printable

if TYPE_CHECKING:
    from mesh.observe.waterfall import Row

_ID: Final = re.compile(r"[0-9a-f]{1,32}", re.IGNORECASE)
_NARROWEST: Final = 60
_WIDEST: Final = 160
_BAR: Final = 0.4  # of the width
#: Attributes that say how a call ended, the first that is there.
_ENDS: Final = (
    "rpc.response.status_code",
    "rpc.grpc.status_code",
    "grpc.status_code",
    "http.status_code",
    "response_flags",
)
_FINE: Final = ("0", "OK", "200", "-")


@click.command("trace")
@click.argument("trace_id", metavar="ID")
@file_option
@click.option("--proxies", is_flag=True, help="Show the spans of sidecars too.")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(trace_id: str, file: Path | None, proxies: bool, output: str) -> None:
    """One request: who called whom, how long each took, and (in full colour) what the request waited for.

    ID is what `mesh traces`, and trace_id in the logs, say.
    """
    from mesh.observe.waterfall import waterfall

    if not _ID.fullmatch(trace_id):
        raise click.BadParameter(f"{trace_id!r} is not 32 hexadecimal digits", param_hint="ID")
    spans = asked(file, lambda search: search.trace(trace_id.lower().zfill(32)))
    if not spans:
        raise click.ClickException(f"no trace {trace_id} in {locate(file).parent}: `mesh traces` lists them")
    rows = waterfall(spans, proxies)
    if output == "json":
        click.echo(
            json.dumps(
                [{**asdict(row.span), "depth": row.depth, "critical": row.critical} for row in rows], indent=2
            )
        )
        return
    width = max(_NARROWEST, min(shutil.get_terminal_size((_WIDEST, 0)).columns, _WIDEST))
    for line in lines(rows, width):
        click.echo(line)


def lines(rows: Sequence[Row], width: int) -> Iterator[str]:
    """The waterfall in ``width`` columns: a headline, then a line each."""
    from mesh.observe.waterfall import request

    first = min(row.span.start_ns for row in rows)
    whole = max(max(row.span.end_ns for row in rows) - first, 1)
    bar = int(width * _BAR)
    services = len({row.span.service for row in rows})
    failed = sum(row.span.status == "ERROR" for row in rows)
    yield f"{rows[0].span.trace_id}  {_milliseconds(whole)}  {len(rows)} spans of {services} services" + (
        click.style(f", {failed} failed", fg="red") if failed else ""
    )
    for row in rows:
        begin = (row.span.start_ns - first) * bar // whole
        length = max(1, round(row.span.duration_ns * bar / whole))
        drawn = (" " * min(begin, bar - 1) + ("█" if row.critical else "░") * length)[:bar]
        called = printable(f"{row.span.service}  {request(row.span)}")
        name = _cut(f"{'  ' * row.depth}{called}", width - bar - 12)
        yield _styled(row, f"{name}{_milliseconds(row.span.duration_ns):>11} {drawn:<{bar}}".rstrip())
        if (ended := _ended(row)) and row.span.status == "ERROR":
            yield click.style(f"{'  ' * row.depth}  {ended}", fg="red")


def _styled(row: Row, text: str) -> str:
    return click.style(text, fg="red" if row.span.status == "ERROR" else None, dim=not row.critical)


def _cut(text: str, width: int) -> str:
    return f"{text[: width - 1]}…" if len(text) > width else text.ljust(width)


def _milliseconds(nanoseconds: int) -> str:
    return f"{nanoseconds / 1e6:.1f} ms"


def _ended(row: Row) -> str:
    """How a call failed, in its own words."""
    found = (f"{key}: {row.span.attributes[key]}" for key in _ENDS if key in row.span.attributes)
    told = [text for text in found if text.rpartition(": ")[2] not in _FINE]
    return printable(", ".join(told[:2]))
