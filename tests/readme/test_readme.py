"""Every command of README.md is run, in order, in a folder that looks like a fresh clone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.readme.blocks import Change, Command, File, steps
from tests.scenarios.local import ROOT, mesh

README = list(steps((ROOT / "README.md").read_text()))
OPTIONAL = ("curl", "grpcurl", "kubectl")  # what a reader may not have
INHERITED = ("KUBECONFIG", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")  # of `make test`, which a reader is not in
PATIENCE = 15.0
OWN = (".mesh", ".git", ".venv", ".hypothesis", "__pycache__", ".*_cache")


def run(command: Command, folder: Path, environment: dict[str, str]) -> None:
    """Raises AssertionError with what it printed when that is not what the README says."""
    if command.program == "export":
        name, _, value = command.text.removeprefix("export ").partition("=")
        environment[name] = value
        return
    if command.program in OPTIONAL and not shutil.which(command.program):
        return
    end = time.monotonic() + (PATIENCE if command.soon else 0)
    while not command.fits(*(done := printed(command, folder, environment))):
        assert time.monotonic() < end, f"$ {command.text}\n{done[1]}\nexit code {done[0]}"
        time.sleep(0.2)


def printed(command: Command, folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    done = subprocess.run(
        ["bash", "-c", command.text],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    return done.returncode, done.stdout


def write(file: File, folder: Path) -> None:
    path = folder / file.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(file.text)


def change(diff: str, folder: Path) -> None:
    subprocess.run(["git", "apply", "-"], cwd=folder, input=diff, text=True, check=True, timeout=10)


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """What a clone has after `make install`. The packages are those of this run; nothing here installs into them."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT, folder, symlinks=True, ignore=shutil.ignore_patterns(*OWN))
    installed = folder / ".venv"
    installed.mkdir()
    for entry in Path(sys.prefix).iterdir():
        (installed / entry.name).symlink_to(entry)
    for stamp in (".installed", ".installed-dev"):
        (installed / stamp).unlink(missing_ok=True)
        (installed / stamp).touch()
    yield folder
    mesh(folder, "down")


def test_steps_are_found_with_output_and_exit_code() -> None:
    text = "x\n```console\n$ a b\n1 ... 2\n# exits with 3\n$ c\n# in a moment\n```\n```console cluster\n$ d\n...\n9\n```\n"
    a, c, d = steps(text)
    assert a == Command("", "a b", ("1 ... 2",), 3)
    assert c == Command("", "c", (), soon=True)
    assert d == Command("cluster", "d", ("...", "9"))


def test_files_and_changes_are_found() -> None:
    text = "```python a/b.py\nx = 1\n```\n```diff\n+1\n```\n```python\nnot a file\n```\n"
    assert list(steps(text)) == [File("a/b.py", "x = 1\n"), Change("+1\n")]


@pytest.mark.parametrize(
    ("output", "code", "printed", "fits"),
    [
        (("1 ... 2",), 3, "1 and  2\n", True),
        (("1 ... 2",), 3, "1 and 3\n", False),
        (("1 ... 2",), 0, "1 and 2\n", False),
        (("...", "9"), 3, "7\n8\n9\n", True),
        (("...", "9"), 3, "7\n8\n", False),
    ],
)
def test_an_output_fits_when_it_says_the_same(
    output: tuple[str, ...], code: int, printed: str, fits: bool
) -> None:
    assert Command("", "a", output, 3).fits(code, printed) is fits


@pytest.mark.envoy
@pytest.mark.xdist_group("readme")
@pytest.mark.timeout(240)
def test_the_tour_is_true(clone: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in INHERITED}
    for step in README:
        if isinstance(step, File):
            write(step, clone)
        elif isinstance(step, Change):
            change(step.diff, clone)
        elif step.kind == "":
            run(step, clone, environment)


@pytest.mark.cluster
@pytest.mark.timeout(400)
def test_what_is_said_of_the_cluster_is_true() -> None:
    environment = {**os.environ}
    for step in README:
        if isinstance(step, Command) and step.kind == "cluster":
            run(step, ROOT, environment)
