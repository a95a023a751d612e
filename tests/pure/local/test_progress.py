"""What the control plane says of itself: what is awaited and why, in words; and files that are not applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mesh.local.progress import Progress, hopeless, reason, why
from mesh.resources.problem import Place, Problem, Severity

Object = dict[str, Any]
ERROR = Problem(Place("mesh.yaml", 3), "MW0504", Severity.ERROR, "there is no chart in x", "give its path")
WARNING = Problem(Place("mesh.yaml", 9), "MW0502", Severity.WARNING, "x needs go")
CRASHED = {"waiting": {"reason": "CrashLoopBackOff", "message": "restarting in 2 s. no database"}}
CREATING = {"waiting": {"reason": "ContainerCreating"}}
RUNNING: Object = {"running": {}}


def pod(state: Object | None = None, ready: bool = False, restarts: int = 0, heard: str = "") -> Object:
    """One with a container in that state; ``heard``: what its readiness probe was last told."""
    status: Object = {"conditions": [{"type": "Ready", "status": str(ready), "message": heard}]}
    if state is not None:
        status["containerStatuses"] = [{"state": state, "ready": ready, "restartCount": restarts}]
    return {"metadata": {"name": "web-1"}, "status": status}


@pytest.mark.parametrize(
    ("found", "text"),
    [
        ({"metadata": {"name": "web-1"}}, "web-1: being started"),
        (pod(), "web-1: being started"),
        (pod(CREATING), "web-1: ContainerCreating"),
        (
            pod(CREATING, heard="istio-proxy: it has not accepted it"),
            "web-1: ContainerCreating: istio-proxy: it has not accepted it",
        ),
        (pod(CRASHED, heard="old"), "web-1: CrashLoopBackOff: restarting in 2 s. no database"),
        (pod(RUNNING), "web-1: not ready yet"),
        (pod(RUNNING, heard="web: NOT_SERVING"), "web-1: not ready yet: web: NOT_SERVING"),
    ],
)
def test_why_a_pod_is_awaited(found: Object, text: str) -> None:
    assert why(found) == text


@pytest.mark.parametrize(
    ("found", "lost"),
    [
        (pod(CREATING), False),
        (pod(RUNNING, ready=True, restarts=9), False),
        (pod(RUNNING, restarts=9), False),
        (pod(CRASHED, restarts=2), False),
        (pod(CRASHED, restarts=3), True),
        (pod({"waiting": {"reason": "ImageUnknown"}}), True),
        (pod({"waiting": {"reason": "MissingToolchain"}}), False),
    ],
)
def test_one_that_will_not_come_up_by_itself(found: Object, lost: bool) -> None:
    assert hopeless(found) == lost


def test_the_reason_is_one_word() -> None:
    assert reason(pod(CRASHED)) == "CrashLoopBackOff"
    assert reason(pod(RUNNING)) == ""


@pytest.fixture
def progress(tmp_path: Path) -> Progress:
    return Progress(tmp_path / "progress.json")


def said(tmp_path: Path) -> Object:
    found: Object = json.loads((tmp_path / "progress.json").read_text())
    return found


def test_files_with_an_error_are_refused_and_the_warnings_of_what_runs_stay(
    progress: Progress, tmp_path: Path
) -> None:
    progress.say("ready")
    progress.files([WARNING])
    assert said(tmp_path)["refused"] == []
    assert said(tmp_path)["warnings"] == [str(WARNING)]
    progress.files([ERROR])
    assert said(tmp_path)["phase"] == "ready"
    assert said(tmp_path)["refused"] == [str(ERROR)]
    assert said(tmp_path)["warnings"] == [str(WARNING)]
    progress.files([], "the store refuses it")
    assert said(tmp_path)["refused"] == ["the store refuses it"]
    progress.files([])
    assert said(tmp_path)["refused"] == said(tmp_path)["warnings"] == []


def test_a_failure_says_why(progress: Progress, tmp_path: Path) -> None:
    progress.failed([ERROR])
    assert said(tmp_path)["phase"] == "failed"
    assert said(tmp_path)["problems"] == [str(ERROR)]
    progress.failed([], "no space left on device")
    assert said(tmp_path)["problems"] == ["no space left on device"]


def test_a_reader_sees_one_answer_or_the_next_and_never_half_of_one(
    progress: Progress, tmp_path: Path
) -> None:
    progress.say("starting")
    before = (tmp_path / "progress.json").open()
    progress.say("ready", waiting=["x" * 100_000])
    with before:
        assert json.load(before)["phase"] == "starting"
    assert said(tmp_path)["phase"] == "ready"
    assert [p.name for p in tmp_path.iterdir()] == ["progress.json"]
