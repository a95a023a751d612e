"""`mesh up`: start the control plane, follow it until the mesh is ready, say what to try next."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import click

from mesh.cli.project import file_option, locate
from mesh.local import observatory, process
from mesh.local.paths import Paths
from mesh.local.process import Process

POLL_SECONDS = 0.1
LEAST_FREE = 512 * 1024


@click.command("up")
@file_option
@click.option("--detach", "-d", is_flag=True, help="Return when the mesh is ready; it goes on running.")
@click.option("--timeout", default=120.0, show_default=True, help="Seconds to wait until it is ready.")
def command(file: Path | None, detach: bool, timeout: float) -> None:
    """Run the mesh of mesh.yaml on this machine.

    Renders the charts, starts every workload behind its own Envoy, and serves the Kubernetes API for it. Changes of charts, values and
    mesh.yaml are applied as they are saved. Without --detach, Ctrl-C stops everything.
    """
    path = locate(file)
    paths = Paths.below(path.parent)
    if not path.is_file():
        raise click.ClickException(
            f"there is no {path.name} in {path.parent}: run mesh where it is, or give --file"
        )
    mine = adopted = False
    interruption = Interruption()
    try:
        with paths.turn(), interruption.held():
            running = process.find(paths.control_plane)
            mine = running is None
            adopted = any(process.find(record) for record in paths.run.glob("pods/*/*.pid"))
            if mine and not adopted:
                shutil.rmtree(paths.logs, ignore_errors=True)  # of the last time
            control = running or _start(path, paths)
        if not mine and not detach:
            text = f"this mesh is up already (process {control.pid}); `mesh down` stops it"
            raise click.ClickException(text)
        _wait_ready(control, paths, timeout)
        click.echo(_next_steps(paths))
        if not detach:
            _follow(control, paths)
    except KeyboardInterrupt:
        if mine:
            _stop(interruption, paths)
        raise SystemExit(130) from None
    except _Failed as failed:
        if mine and not adopted:  # what a killed control plane left serving goes on serving
            _stop(interruption, paths)
        raise click.ClickException(str(failed)) from None


class Interruption:
    """SIGINT and SIGTERM as KeyboardInterrupt, which can be held back while something must not be left half done."""

    def __init__(self) -> None:
        self._held = self._came = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._arrive)

    def _arrive(self, number: int, frame: object) -> None:
        self._came = True
        if not self._held:
            raise KeyboardInterrupt

    @contextmanager
    def held(self) -> Iterator[None]:
        """What comes meanwhile is raised afterwards."""
        self._held, self._came = True, False
        yield
        self._held = False
        if self._came:
            raise KeyboardInterrupt


class _Failed(Exception):
    """The mesh did not come up; the text says why."""


def _start(path: Path, paths: Paths) -> Process:
    paths.make()
    paths.progress.unlink(missing_ok=True)
    click.echo(f"starting the mesh of {path}")
    python = [sys.executable, "-m", "mesh.local.controlplane", str(path)]
    log = paths.logs / "control-plane.log"
    return process.start(python, os.environ, path.parent, log, paths.control_plane)


def _wait_ready(control: Process, paths: Paths, limit: float) -> None:
    """Until it is ready. Raises _Failed with what is wrong."""
    end = time.monotonic() + limit
    said: dict[str, Any] = {"waiting": []}
    shown, told = "", set[str]()
    while time.monotonic() < end:
        said = _progress(paths) or said
        if said.get("phase") == "ready":
            for text in (*said["warnings"], *said["unbuilt"]):
                click.echo(text)
            return
        if said.get("phase") == "failed":
            raise _Failed("\n".join(["the mesh cannot run:", *said["problems"]]))
        if not control.alive:
            raise _Failed(
                f"the control plane ended; its log is {paths.logs / 'control-plane.log'}\n{_tail(paths)}"
            )
        for text in said.get("building", ()):
            if text not in told:  # a build has a limit of its own
                told.add(text)
                click.echo(text)
            end = time.monotonic() + limit
        shown = _show(said, shown)
        time.sleep(POLL_SECONDS)
    waiting = "\n".join(said["waiting"] or ["the control plane is still starting"])
    raise _Failed(f"not ready after {limit:g} s:\n{waiting}\nlogs are in {paths.logs}")


def _show(said: dict[str, Any], shown: str) -> str:
    """On a terminal, one line that says how many are still awaited."""
    if not sys.stdout.isatty():
        return shown
    text = f"waiting for {len(said['waiting'])} workloads" if said["waiting"] else "starting"
    if text != shown:
        click.echo(f"\r\033[K{text}", nl=False)
        if text.startswith("waiting for 0"):
            click.echo("\r\033[K", nl=False)
    return text


def _progress(paths: Paths) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(paths.progress.read_text())
    except (OSError, ValueError):
        return None
    return found


def _tail(paths: Paths) -> str:
    """The last lines of the control plane's log; on a full disk it could not write them."""
    free = shutil.disk_usage(paths.root).free
    if free < LEAST_FREE:
        return f"the disk of {paths.root} is full ({free // 1024} KiB are left): make room and try again"
    log = paths.logs / "control-plane.log"
    return "\n".join(log.read_text(errors="replace").splitlines()[-10:]) if log.is_file() else ""


def _next_steps(paths: Paths) -> str:
    from mesh.cli.mesh_api import Api

    api = Api(paths.kubeconfig)
    rows = [
        f"  {s['name']:<12} {_clickable(port, address)}"
        for s in api.services()
        for port, address in s["addresses"].items()
    ]
    first = next((s for s in api.services() if s["name"] == "catalog"), None) or next(
        iter(api.services()), None
    )
    lead = "\r\033[K" if sys.stdout.isatty() else ""
    lines = [f"{lead}the mesh is ready. Services, as an outside caller reaches them:", *rows, "", "Try next:"]
    if first and first["addresses"]:
        lines.append(f"  grpcurl -plaintext {next(iter(first['addresses'].values()))} list")
    mesh = _own_name()
    lines += [
        f"  {mesh} status",
        f"  {mesh} call catalog ListProducts '{{}}'"
        if first and first["name"] == "catalog"
        else f"  {mesh} call --help",
        *([f"  {mesh} traces", f"  {mesh} dash"] if observatory.find(paths) else ()),
        f"  export KUBECONFIG={paths.kubeconfig}",
        "  kubectl get pods,virtualservices -A",
        f"  {mesh} down",
    ]
    return "\n".join(lines)


def _clickable(port: str, address: str) -> str:
    """What a browser can open as a URL, by the port's name."""
    return f"http://{address}" if port == "http" or port.startswith("http-") else address


def _own_name() -> str:
    """``mesh`` where the shell finds it by that name, else the path by which it was started."""
    started = Path(sys.argv[0])
    found = shutil.which("mesh")
    if found and Path(found).resolve() == started.resolve():
        return "mesh"
    return os.path.relpath(started)


def _follow(control: Process, paths: Paths) -> None:
    """Say what goes wrong, until Ctrl-C."""
    click.echo("Ctrl-C stops it.")
    seen: set[str] = set()
    while control.alive:
        said = _progress(paths) or {}
        now = {*said.get("problems", ()), *said.get("refused", ()), *(said.get("waiting") or ())}
        for text in sorted(now - seen):
            click.echo(text)
        seen = now
        time.sleep(0.5)
    raise _Failed(
        f"the control plane ended; `mesh up` takes over what still runs. Its last words:\n{_tail(paths)}"
    )


def _stop(interruption: Interruption, paths: Paths) -> None:
    from mesh.cli.down import stop

    click.echo("\nstopping")
    with suppress(KeyboardInterrupt), interruption.held(), paths.turn():
        stop(paths)
