"""What a user gets for a mistake: file, line, what is wrong, what to do; and a mesh that runs keeps what it had."""

from __future__ import annotations

import socket
import subprocess

import pytest
from kubernetes import client

from tests.local.conftest import Make
from tests.local.mistakes import MISTAKES, Break, broken_template, broken_yaml, missing_subset
from tests.local.project import Project, until

#: One that each stage finds: reading mesh.yaml, rendering, linking.
SOME = [each for each in MISTAKES if each[0] in (broken_yaml, broken_template, missing_subset)]
NAMES = [broken.__name__ for broken, _ in SOME]


@pytest.mark.parametrize(("broken", "said"), SOME, ids=NAMES)
def test_up_refuses_a_mistake(make: Make, broken: Break, said: list[str]) -> None:
    project = make()
    broken(project)
    done = project.mesh("up", "--detach")
    assert done.code == 1
    for part in said:
        assert part in done.text, done.text
    assert project.processes() == []


@pytest.mark.parametrize(("broken", "said"), SOME, ids=NAMES)
def test_a_running_mesh_keeps_what_it_had_and_says_so(
    running: Project, broken: Break, said: list[str]
) -> None:
    (before,) = running.status()["workloads"]
    broken(running)
    until(lambda: all(s in str(running.progress()["refused"]) for s in said), f"says {said}", 15)
    found = running.status()
    assert found["workloads"] == [before]
    assert found["problems"][0].startswith("not applied: ")
    assert found["problems"][0] in running.mesh("status").text


def test_files_that_are_gone_are_said_and_change_nothing(running: Project) -> None:
    (before,) = running.status()["workloads"]
    running.file.rename(running.folder / "values.yaml")
    until(lambda: "there is no mesh.yaml" in str(running.progress()["refused"]), "says so")
    assert running.status()["workloads"] == [before]


def test_what_a_killed_control_plane_left_serves_on_until_the_mistake_is_mended(running: Project) -> None:
    control = running.control_plane()
    running.kill(control)
    before = set(running.processes()) - {control}
    right = running.file.read_text()
    broken_yaml(running)
    done = running.mesh("up", "--detach")
    assert done.code == 1
    assert "mesh.yaml:" in done.text
    until(lambda: set(running.processes()) == before, "the pods serve on")
    running.file.write_text(right)
    assert running.mesh("up", "--detach").code == 0
    assert set(running.processes()) > before


def test_a_missing_toolchain_leaves_one_workload_out_and_says_so(make: Make) -> None:
    project = make()
    settings = project.read()
    settings["images"]["small/web"]["needs"] = ["no-such-tool"]
    project.write(settings)
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    assert "mesh.yaml:" in done.text
    assert "MW0502 warning small/web needs no-such-tool, which is not installed" in done.text
    until(lambda: accepted(project), "routes are accepted by all proxies that there can be")


def accepted(project: Project) -> bool:
    """Whether every proxy has taken the chart's route."""
    routes = client.CustomObjectsApi(project.client()).list_cluster_custom_object(
        "networking.istio.io", "v1", "virtualservices"
    )
    (condition,) = routes["items"][0].get("status", {}).get("conditions") or [{"status": "False"}]
    return bool(condition["status"] == "True")


def test_a_build_that_fails_leaves_one_workload_out_and_says_why(make: Make) -> None:
    project = make()
    settings = project.read()
    failing = ["python", "-c", "print('web.py:3: no such name'); raise SystemExit(2)"]
    settings["images"]["small/web"]["build"] = [{"run": failing, "makes": "made", "sources": ["web.py"]}]
    project.write(settings)
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    assert "MW0506 warning small/web cannot be built, and is left out" in done.text
    assert "ended with 2" in done.text
    assert "web.py:3: no such name" in done.text
    assert "kubectl delete pod web-" in done.text


def test_a_program_that_is_not_there_is_said(make: Make) -> None:
    project = make()
    settings = project.read()
    settings["images"]["small/web"]["run"] = ["no-such-program"]
    project.write(settings)
    done = project.mesh("up", "--detach")
    assert done.code == 1
    assert "mesh.yaml:" in done.text
    assert "there is no program no-such-program" in done.text
    assert project.processes() == []


def test_a_service_that_crashes_at_start_is_shown_with_its_last_words(make: Make) -> None:
    project = make(habit="crash")
    done = project.mesh("up", "--detach")
    assert done.code == 1
    assert "web cannot start: no database" in done.text
    assert "3" in done.text, "its exit code"


def test_a_service_that_never_becomes_ready_is_named(make: Make) -> None:
    project = make(habit="never")
    first = project.start("up", "--timeout", "60")
    until(lambda: "NOT_SERVING" in str(project.progress()), "its probe has heard something")
    done = project.mesh("up", "--detach", "--timeout", "0.5")
    assert done.code == 1
    assert "not ready after 0.5 s" in done.text
    assert "web-" in done.text
    assert "NOT_SERVING" in done.text, "what its probe last heard"
    assert first.poll() is None, "the mesh goes on: the second only looked on"
    first.terminate()
    first.communicate(timeout=30)
    assert project.processes() == []


def test_a_port_that_is_taken_is_not_given_to_a_pod(make: Make) -> None:
    """Ports are looked for, so somebody else's are left alone: half of the range is taken here."""
    taken = []
    for port in range(20000, 32000, 2):
        held = socket.socket()
        try:
            held.bind(("127.0.0.1", port))
        except OSError:
            held.close()
            continue
        taken.append(held)
        if len(taken) > 500:
            break
    try:
        project = make()
        assert project.mesh("up", "--detach").code == 0
        mine = {held.getsockname()[1] for held in taken}
        ports = project.status()["workloads"][0]["pods"][0]["ports"]
        given = {p for group in ports.values() for p in group.values()}
        assert not given & mine
    finally:
        for held in taken:
            held.close()


def test_a_full_disk_is_said(make: Make) -> None:
    project = make()
    state = project.folder / ".mesh"
    state.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", str(state)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("only root may mount the small disk that this takes")
    try:
        done = project.mesh("up", "--detach")
        assert done.code == 1
        assert f"the disk of {state} is full" in done.text
        assert "make room" in done.text
        assert project.processes() == []
    finally:
        subprocess.run(["umount", str(state)], check=True)
        state.rmdir()
