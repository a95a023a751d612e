"""Up, down, and every way of being interrupted in between."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.local.conftest import Make
from tests.local.project import until


def test_up_returns_when_all_is_ready_and_down_leaves_only_logs(make: Make) -> None:
    project = make()
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    (web,) = project.status()["workloads"]
    assert web["ready"]
    assert web["proxy"] == {"acked": True, "version": web["proxy"]["version"], "rejected": None}
    assert web["identity"] == "spiffe://cluster.local/ns/default/sa/default"
    assert web["certificate_expires"]

    assert project.mesh("down").code == 0
    assert project.processes() == []
    assert {p.name for p in (project.folder / ".mesh").iterdir()} == {"logs"}
    assert project.mesh("down").code == 0, "twice is no error"

    assert project.mesh("up", "--detach").code == 0
    logs = {p.name for p in (project.folder / ".mesh" / "logs").iterdir()}
    (pod,) = project.status()["workloads"][0]["pods"]
    assert logs == {"control-plane.log", pod["name"]}, "those of the last time are gone"
    assert project.status()["observatory"] is None
    done = project.mesh("traces")
    assert done.code == 1
    assert "nothing is observed here" in done.text


def test_keys_and_state_are_for_their_owner_only(make: Make) -> None:
    project = make()
    project.mesh("up", "--detach")
    state = project.folder / ".mesh"
    assert state.stat().st_mode & 0o777 == 0o700
    for secret in (state / "kubeconfig", state / "ca" / "root.pem"):
        assert secret.stat().st_mode & 0o777 == 0o600, secret


def test_up_again_says_that_it_is_up(make: Make) -> None:
    project = make()
    project.mesh("up", "--detach")
    before = project.processes()
    again = project.mesh("up", "--detach")
    assert again.code == 0
    assert project.processes() == before
    other = project.mesh("up")
    assert other.code == 1
    assert "up already" in other.text


def test_two_at_once_start_one_mesh(make: Make) -> None:
    project = make()
    both = [project.start("up", "--detach") for _ in range(2)]
    for each in both:
        text, _ = each.communicate(timeout=60)
        assert each.returncode == 0, text
    assert len(project.processes()) == 3, "the control plane, the process and its sidecar"


def test_two_projects_run_at_once(make: Make) -> None:
    one, two = make(name="one"), make(name="two")
    assert one.mesh("up", "--detach").code == 0
    assert two.mesh("up", "--detach").code == 0
    assert one.mesh("down").code == 0
    assert two.status()["workloads"][0]["ready"]


@pytest.mark.parametrize(
    ("number", "seconds"),
    [(signal.SIGINT, 0.1), (signal.SIGTERM, 0.4), (signal.SIGINT, 1.2), (signal.SIGTERM, 2.4)],
)
def test_an_interrupted_up_leaves_nothing(make: Make, number: int, seconds: float) -> None:
    project = make()
    up = project.start("up", "--detach")
    time.sleep(seconds)  # the moment is the test's subject
    os.kill(up.pid, number)
    text, _ = up.communicate(timeout=30)
    if up.returncode != 0:  # it was not ready yet
        until(lambda: not project.processes(), f"nothing is left running after: {text}", 10)
        assert {p.name for p in project.folder.glob(".mesh/*")} <= {"logs"}


def test_an_interrupted_foreground_mesh_stops(make: Make) -> None:
    project = make()
    up = project.start("up")
    assert up.stdout
    until(lambda: "Ctrl-C" in str(up.stdout.readline()), "it is ready")  # type: ignore[union-attr]
    os.kill(up.pid, signal.SIGINT)
    up.communicate(timeout=30)
    assert up.returncode == 130
    assert project.processes() == []


@pytest.mark.parametrize("seconds", [0.3, 0.6, 1.2])
def test_a_killed_up_leaves_what_down_stops(make: Make, seconds: float) -> None:
    project = make()
    up = project.start("up")
    time.sleep(seconds)  # the moment is the test's subject
    up.kill()
    up.communicate()
    assert project.mesh("down").code == 0
    until(lambda: not project.processes(), "nothing of the mesh runs", 10)


@pytest.mark.parametrize("seconds", [0.6])
def test_what_a_killed_up_left_the_next_one_takes_over(make: Make, seconds: float) -> None:
    project = make()
    up = project.start("up")
    time.sleep(seconds)  # the moment is the test's subject
    up.kill()
    up.communicate()
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    assert len(project.processes()) == 3, "the control plane, the process and its sidecar"


@pytest.mark.parametrize(
    "has", ["run/control-plane.pid", "run/lock", "state", "run/pods", "run/pods/*/web.pid"]
)
def test_a_killed_control_plane_leaves_nothing_that_down_does_not_find(make: Make, has: str) -> None:
    """Killed as soon as it has written that, with the `mesh up` that waits for it."""
    project = make()
    up = project.start("up")
    until(lambda: list((project.folder / ".mesh").glob(has)), f"there is {has}")
    control = project.control_plane()
    up.kill()
    project.kill(control)
    up.communicate()
    assert project.mesh("down").code == 0
    until(lambda: not project.processes(), "Helm, which was rendering, has ended by itself")
    assert {p.name for p in project.folder.glob(".mesh/*")} <= {"logs"}


def test_a_killed_control_plane_leaves_the_pods_running_and_the_next_adopts_them(make: Make) -> None:
    project = make()
    project.write(project.read() | {"observatory": {"enabled": True}})
    project.mesh("up", "--detach")
    control = project.control_plane()
    pods = set(project.processes()) - {control}
    assert len(pods) == 3, "the observatory, the process and its sidecar"
    project.kill(control)
    until(lambda: not Path(f"/proc/{control}").exists() or control not in project.processes(), "it is gone")
    assert set(project.processes()) == pods
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    assert set(project.processes()) == {*pods, project.control_plane()}
    until(lambda: project.status()["workloads"][0]["proxy"]["acked"], "its proxy has taken up the talk again")
