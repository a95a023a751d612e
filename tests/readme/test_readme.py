"""Every command of README.md is run, in order, in a folder that looks like a fresh clone."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme.blocks import Command, commands

ROOT = Path(__file__).resolve().parents[2]
README = list(commands((ROOT / "README.md").read_text()))
OPTIONAL = ("grpcurl", "kubectl")  # what a reader may not have
ELSEWHERE = (".mesh", ".git")


def run(command: Command, folder: Path, environment: dict[str, str]) -> None:
    if command.program == "export":
        name, _, value = command.text.removeprefix("export ").partition("=")
        environment[name] = value
        return
    if command.program in OPTIONAL and not shutil.which(command.program):
        return
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    assert done.returncode == command.code, f"$ {command.text}\n{done.stdout}"
    assert command.fits(done.stdout), f"$ {command.text}\n{done.stdout}"


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """What a clone has, after `make install`; its state is its own."""
    for entry in ROOT.iterdir():
        if entry.name not in ELSEWHERE:
            (tmp_path / entry.name).symlink_to(entry)
    yield tmp_path
    subprocess.run([ROOT / ".venv" / "bin" / "mesh", "down"], cwd=tmp_path, check=True, timeout=60)


def test_commands_are_found_with_their_output_and_exit_code() -> None:
    text = "x\n```console\n$ a b\n1 ... 2\n# exits with 3\n$ c\n```\n```console cluster\n$ d\n...\n9\n```\n"
    a, c, d = commands(text)
    assert (a.kind, a.text, a.output, a.code) == ("", "a b", ("1 ... 2",), 3)
    assert (c.text, c.output, c.code) == ("c", (), 0)
    assert (d.kind, d.output) == ("cluster", ("...", "9"))
    assert a.fits("1 and  2\n")
    assert not a.fits("1 and 3\n")
    assert d.fits("7\n8\n9\n")
    assert not d.fits("7\n8\n")


@pytest.mark.envoy
@pytest.mark.timeout(240)
def test_the_tour_is_true(clone: Path) -> None:
    environment = {**os.environ}
    environment.pop("KUBECONFIG", None)
    for command in README:
        if command.kind == "":
            run(command, clone, environment)


@pytest.mark.cluster
@pytest.mark.timeout(400)
def test_what_is_said_of_the_cluster_is_true() -> None:
    environment = {**os.environ}
    for command in README:
        if command.kind == "cluster":
            run(command, ROOT, environment)
