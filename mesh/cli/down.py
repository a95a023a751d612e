"""`mesh down`: stop everything that a mesh started, whatever state it is in."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

import click

from mesh.cli.project import file_option, locate
from mesh.local import process
from mesh.local.paths import Paths
from mesh.local.process import Process

CONTROL_PLANE_SECONDS = 20.0
GRACE_SECONDS = 5.0


@click.command("down")
@file_option
def command(file: Path | None) -> None:
    """Stop the mesh and leave nothing behind but its logs.

    Also what a killed control plane left running. Doing it twice is no error.
    """
    paths = Paths.below(locate(file).parent)
    if paths.root.is_dir():
        with paths.turn():
            stop(paths)
    click.echo("the mesh is down")


def stop(paths: Paths) -> None:
    """Stop the control plane, which stops the rest; then whatever is left; then remove the state."""
    control = process.find(paths.control_plane)
    if control:
        os.kill(control.pid, signal.SIGTERM)
        _wait([control], CONTROL_PLANE_SECONDS)
        control.send(signal.SIGKILL)
    left = [p for record in paths.run.glob("pods/*/*.pid") if (p := process.find(record))]
    for each in left:
        each.send(signal.SIGTERM)
    _wait(left, GRACE_SECONDS)
    for each in left:
        each.send(signal.SIGKILL)
    _wait(left, GRACE_SECONDS)
    paths.clean()


def _wait(processes: Iterable[Process], limit: float) -> None:
    end = time.monotonic() + limit
    for each in processes:
        while each.alive and time.monotonic() < end:
            time.sleep(0.05)
        if not each.alive:
            process.reap(each.pid)
