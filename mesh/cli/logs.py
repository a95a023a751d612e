"""`mesh logs`: what workloads write, of one or of all, as it comes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from mesh.cli.mesh_api import Api, owner
from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths

_POLL_SECONDS = 0.2


@click.command("logs")
@file_option
@click.argument("workload", required=False)
@click.option("--follow", "-f", is_flag=True, help="Go on as more is written, until Ctrl-C.")
@click.option("--tail", default=20, show_default=True, help="Begin with so many lines of each.")
@click.option("--proxy", is_flag=True, help="What the sidecars write, too.")
def command(file: Path | None, workload: str | None, follow: bool, tail: int, proxy: bool) -> None:
    """What workloads write; with WORKLOAD only that one. Each line begins with the pod that wrote it."""
    paths = Paths.below(locate(file).parent)
    seen: dict[Path, int] = {}
    while True:
        for pod in _pods(paths, workload):
            for log in sorted((paths.logs / pod).glob("*.log")):
                if proxy or log.stem != "istio-proxy":
                    seen[log] = _print(pod, log, seen.get(log), tail)
        if not follow:
            return
        time.sleep(_POLL_SECONDS)


def _pods(paths: Paths, workload: str | None) -> list[str]:
    api = Api(paths.kubeconfig)
    if workload is None:
        return [p["metadata"]["name"] for p in api.pods]
    name = owner(api.from_workload(workload))
    return [p["metadata"]["name"] for p in api.pods if owner(p) == name]


def _print(pod: str, log: Path, at: int | None, tail: int) -> int:
    """Print what is new from byte ``at`` on; returns where it ended."""
    with log.open("rb") as file:
        if at is not None:
            file.seek(at if at <= log.stat().st_size else 0)
        data = file.read()
        end = file.tell()
    lines = data.decode(errors="replace").splitlines()
    for line in lines if at is not None else lines[-tail:]:
        click.echo(f"{pod} {line}")
    return end
