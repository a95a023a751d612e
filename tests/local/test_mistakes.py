"""What a user gets for a mistake: file, line, what is wrong, what to do; and a mesh that runs keeps what it had."""

from __future__ import annotations

import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.local.conftest import Make
from tests.local.project import Project, until

Break = Callable[[Project], None]


def broken_yaml(project: Project) -> None:
    project.file.write_text(project.file.read_text() + "images: [\n")


def broken_template(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    route.write_text(route.read_text() + "{{ .Values.a.b }}\n")


def unknown_host(project: Project) -> None:
    project.set(host="wep.default.svc.cluster.local")


def missing_subset(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    route.write_text(route.read_text().replace("port: {number", "subset: v9, port: {number"))


def wrong_weights(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    line = "        - destination: {host: {{ .Values.host }}, port: {number: 50051}}\n"
    text = route.read_text()
    route.write_text(text.replace(line, (line + "          weight: 60\n") * 2))


def unsupported_field(project: Project) -> None:
    project.set(route={"timeOut": "3s"})


def unknown_image(project: Project) -> None:
    project.set(image="other/web:1")


MISTAKES: list[tuple[Break, list[str]]] = [
    (broken_yaml, ["mesh.yaml:", "MW0001"]),
    (broken_template, ["templates/route.yaml:", "MW0503"]),
    (unknown_host, ["templates/route.yaml:9", "wep.default", "did you mean"]),
    (missing_subset, ["templates/route.yaml:9", "subset 'v9'"]),
    (wrong_weights, ["templates/route.yaml:", "120"]),
    (unsupported_field, ["templates/route.yaml:10", "timeOut", "did you mean timeout"]),
    (unknown_image, ["templates/web.yaml:", "other/web:1", "mesh.yaml"]),
]
NAMES = [broken.__name__ for broken, _ in MISTAKES]


@pytest.mark.parametrize(("broken", "said"), MISTAKES, ids=NAMES)
def test_up_refuses_a_mistake(make: Make, broken: Break, said: list[str]) -> None:
    project = make()
    broken(project)
    done = project.mesh("up", "--detach")
    assert done.code == 1
    for part in said:
        assert part in done.text, done.text
    assert project.processes() == []


def test_a_running_mesh_keeps_what_it_had_and_says_so(make: Make) -> None:
    project = make()
    project.mesh("up", "--detach")
    right = project.file.read_text()
    version = project.status()["workloads"][0]["proxy"]["version"]
    routes = (project.folder / "chart" / "templates" / "route.yaml").read_text()
    for broken, said in (MISTAKES[0], MISTAKES[1], MISTAKES[5]):
        broken(project)
        until(lambda said=said: all(s in str(project.status()["problems"]) for s in said), f"says {said}", 15)
        (web,) = project.status()["workloads"]
        assert web["ready"]
        assert web["proxy"]["version"] == version
        project.file.write_text(right)
        (project.folder / "chart" / "templates" / "route.yaml").write_text(routes)
        until(lambda: not project.status()["problems"], "all is well again", 15)


def test_a_missing_toolchain_leaves_one_workload_out_and_says_so(make: Make) -> None:
    project = make()
    settings = project.read()
    settings["images"]["small/web"]["needs"] = ["no-such-tool"]
    project.write(settings)
    done = project.mesh("up", "--detach")
    assert done.code == 0, done.text
    assert "small/web needs no-such-tool, which is not installed" in done.text


def test_a_program_that_is_not_there_is_said(make: Make) -> None:
    project = make()
    settings = project.read()
    settings["images"]["small/web"]["run"] = ["no-such-program"]
    project.write(settings)
    done = project.mesh("up", "--detach")
    assert done.code == 1
    assert "no-such-program" in done.text
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
