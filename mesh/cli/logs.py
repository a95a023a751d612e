"""`mesh logs`: what workloads write, of one or of all, of one trace or of all, as it comes."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Final

import click

from mesh.cli.mesh_api import Api, owner
from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths
from mesh.observe.logline import LEVELS, line
from mesh.observe.logsearch import MOST, Wanted, container, search

_POLL_SECONDS: Final = 0.2
_PROXY: Final = "istio-proxy"
_ID: Final = re.compile(r"[0-9a-f]{1,32}", re.IGNORECASE)


@click.command("logs")
@file_option
@click.argument("workload", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as more is written, until Ctrl-C.")
@click.option("--tail", default=20, show_default=True, help="Begin with so many lines of each.")
@click.option("--proxy", is_flag=True, help="What the sidecars write, too.")
@click.option("--trace", default="", metavar="ID", help="Only of this trace: all that was written, by time.")
@click.option(
    "--level", type=click.Choice(LEVELS), default=LEVELS[0], help="Only what is as bad as that, or worse."
)
def command(
    file: Path | None, workload: str | None, follow: bool, tail: int, proxy: bool, trace: str, level: str
) -> None:
    """What workloads write; with WORKLOAD only that one. Each line begins with the pod that wrote it."""
    if trace and not _ID.fullmatch(trace):
        raise click.BadParameter(f"{trace!r} is not 32 hexadecimal digits", param_hint="--trace")
    paths = Paths.below(locate(file).parent)
    wanted = Wanted(trace.lower().zfill(32) if trace else "", level=level, proxies=proxy, limit=MOST)
    seen: dict[Path, int] = {}
    if trace:
        seen = {log: log.stat().st_size for log in _files(paths, workload, proxy)}
        _print_trace(paths, workload, wanted)
    while True:
        for log in _files(paths, workload, proxy):
            seen[log] = _print(log, seen.get(log), tail, wanted)
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def _print_trace(paths: Paths, workload: str | None, wanted: Wanted) -> None:
    """What pods that have gone wrote, too, when no workload is named."""
    pods = None if workload is None else set(_pods(paths, workload))
    for found in search(paths.logs, wanted):
        if pods is None or found.pod in pods:
            click.echo(f"{found.pod} {found.text}")


def _files(paths: Paths, workload: str | None, proxy: bool) -> list[Path]:
    found = (log for pod in _pods(paths, workload) for log in sorted((paths.logs / pod).glob("*.log")))
    return [log for log in found if log.stem == container(log) and (proxy or log.stem != _PROXY)]


def _pods(paths: Paths, workload: str | None) -> list[str]:
    api = Api(paths.kubeconfig)
    if workload is None:
        return [p["metadata"]["name"] for p in api.pods]
    name = owner(api.from_workload(workload))
    return [p["metadata"]["name"] for p in api.pods if owner(p) == name]


def _print(log: Path, at: int | None, tail: int, wanted: Wanted) -> int:
    """Print what is new from byte ``at`` on, as far as it is wanted; returns where it ended."""
    pod = log.parent.name
    with log.open("rb") as file:
        if at is not None:
            file.seek(at if at <= log.stat().st_size else 0)
        data = file.read()
        end = file.tell()
    found = (line(written, pod, log.stem) for written in data.splitlines())
    lines = [each.text for each in found if wanted.fits(each)]
    for text in lines if at is not None else lines[-tail:]:
        click.echo(f"{pod} {text}")
    return end
