"""A container as its Pod tells of it: how it ended, and what holds on when its control plane is replaced."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from mesh.local import process
from mesh.local.container import Container, Spec, ended, terminated

Object = dict[str, Any]
RUNNING: Object = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
TOLD: Object = {"ready": True, "started": True, "restartCount": 2, "state": RUNNING, "lastState": {}}


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (0, {"exitCode": 0, "reason": "Completed"}),
        (3, {"exitCode": 3, "reason": "Error"}),
        (-signal.SIGKILL, {"exitCode": 137, "reason": "Error"}),
        (None, {"exitCode": 137, "reason": "ContainerStatusUnknown"}),
    ],
)
def test_an_exit_code_is_told_as_kubernetes_does(code: int | None, told: Object) -> None:
    assert terminated(code) == told


@pytest.mark.parametrize(
    ("code", "wrote", "text"),
    [
        (3, "", "it ended with exit code 3 and wrote nothing"),
        (1, "a\nno database\n", "it ended with exit code 1; its last lines: a | no database"),
        (-9, "x\n", "it was ended by SIGKILL; its last lines: x"),
        (None, "1\n2\n3\n4\n5\n6\n", "it ended; its last lines: 2 | 3 | 4 | 5 | 6"),
        (1, b"\xff\n", "it ended with exit code 1; its last lines: \ufffd"),
    ],
)
def test_how_it_ended_comes_with_its_last_words(
    tmp_path: Path, code: int | None, wrote: str | bytes, text: str
) -> None:
    log = tmp_path / "x.log"
    if wrote:
        log.write_bytes(wrote if isinstance(wrote, bytes) else wrote.encode())
    assert ended(code, log) == text


def container(folder: Path) -> Container:
    spec = Spec("web", "web:1", ["web"], {}, folder, folder / "x.log", folder / "x.pid")
    return Container(spec, lambda: None)


def test_one_that_still_runs_is_what_its_pod_says(tmp_path: Path) -> None:
    sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
    running = process.start(sleep, os.environ, tmp_path, tmp_path / "x.log", tmp_path / "x.pid")
    try:
        adopted = container(tmp_path)
        adopted.remember(TOLD)
        assert {k: adopted.status()[k] for k in TOLD} == TOLD
    finally:
        running.send(signal.SIGKILL)
        process.reap(running.pid)


def test_one_that_ended_meanwhile_is_not_ready_and_counts_as_restarted(tmp_path: Path) -> None:
    gone = container(tmp_path)
    gone.remember(TOLD)
    status = gone.status()
    assert not status["ready"]
    assert status["restartCount"] == 3
