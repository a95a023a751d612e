"""`mesh top`: who calls whom now, how often, how well and how fast."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths

if TYPE_CHECKING:
    from rich.table import Table

    from mesh.observe.edges import Counts, Edge

_HERE: Final = Path()
_SHARES: Final = (0.5, 0.95, 0.99)
_WIDE: Final = 160


@click.command("top")
@file_option
@click.option(
    "--interval",
    "-i",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0.2, 3600),
    help="Seconds that each look covers.",
)
@click.option("--once", is_flag=True, help="Look once. Without a terminal, and with -o json, it always does.")
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: Path | None, interval: float, once: bool, output: str) -> None:
    """Calls by edge: rate, failures by status, latency, and whether they came by mTLS. Until Ctrl-C.

    Rates, statuses and latency are what the callers' proxies saw, retries and refused calls included.
    """
    from mesh.observe.counters import counted

    os.chdir(_run_folder(file))  # sockets are named relative to it: the names of Unix sockets are short
    if output == "json":
        click.echo(json.dumps([_plain(edge) for edge in _look(counted(_HERE), interval)], indent=2))
    elif once or not sys.stdout.isatty():
        from rich.console import Console

        width = None if sys.stdout.isatty() else _WIDE
        Console(width=width, highlight=False).print(_table(_look(counted(_HERE), interval)))
    else:
        _live(interval)


def _run_folder(file: Path | None) -> Path:
    paths = Paths.below(locate(file).parent)
    if not paths.targets.is_file():
        raise click.ClickException(
            "nothing is observed here: `mesh up` does it, unless mesh.yaml says `observatory: {enabled: false}`"
        )
    return paths.run


def _live(interval: float) -> None:
    from rich.live import Live

    from mesh.observe.counters import counted

    before = counted(_HERE)
    try:
        with Live(_table([]), screen=True, auto_refresh=False) as screen:
            while True:
                began = time.monotonic()
                time.sleep(interval)
                after = counted(_HERE)
                screen.update(_table(_between(before, after, time.monotonic() - began)), refresh=True)
                before = after
    except KeyboardInterrupt:
        return


def _look(before: Counts, interval: float) -> Sequence[Edge]:
    from mesh.observe.counters import counted

    began = time.monotonic()
    time.sleep(interval)
    return _between(before, counted(_HERE), time.monotonic() - began)


def _between(before: Counts, after: Counts, seconds: float) -> Sequence[Edge]:
    from mesh.observe.edges import edges

    return edges(before, after, seconds)


def _plain(edge: Edge) -> dict[str, Any]:
    """Rates are a second, latencies milliseconds."""
    return {
        "source": edge.source,
        "destination": edge.destination,
        "rate": round(edge.rate, 3),
        "requests": edge.requests,
        "statuses": dict(edge.statuses),
        "failed": round(edge.failed, 4),
        "mtls": edge.encrypted,
        **{f"p{share * 100:g}": _rounded(edge.quantile(share)) for share in _SHARES},
    }


def _rounded(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else round(milliseconds, 1)


def _table(found: Sequence[Edge]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("FROM", "TO"):
        table.add_column(column)
    for column in ("RATE", "FAILED", "P50", "P95", "P99"):
        table.add_column(column, justify="right")
    table.add_column("MTLS")
    table.add_column("STATUSES", overflow="fold")
    for edge in found:
        latencies = (_rounded(edge.quantile(share)) for share in _SHARES)
        table.add_row(
            edge.source,
            edge.destination,
            f"{edge.rate:.1f}/s",
            f"[red]{edge.failed:.1%}[/]" if edge.failed else "-",
            *("-" if each is None else f"{each:g} ms" for each in latencies),
            {True: "yes", False: "[red]NO[/]", None: "-"}[edge.encrypted],
            ", ".join(f"{_worded(status)} {count}" for status, count in edge.statuses.most_common()),
        )
    if not found:
        table.caption = "no calls"
    return table


def _worded(status: str) -> str:
    """gRPC's name of a number below a hundred: those above are HTTP's."""
    from mesh.observe.edges import STATUSES

    return STATUSES[int(status)] if status.isdigit() and int(status) < len(STATUSES) else status
