"""Charts become objects of the store: what is wrong with them, what is applied, and what a user changed meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from mesh.local import config, release
from mesh.local.config import Config, Image, Settings
from mesh.local.release import COMMAND, Wanted, commanded, watched
from mesh.local.store import Store, key, kind
from tests.local.mistakes import MISTAKES, Break
from tests.local.project import Project

Object = dict[str, Any]
DEPLOYMENT = key(kind("Deployment"), "default", "web")
ROUTE = key(kind("VirtualService"), "default", "web")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.make(tmp_path / "p")


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with Store(tmp_path / "state") as opened:
        yield opened


def load(project: Project) -> Config:
    found, problems = config.load(project.file)
    assert found, problems
    return found


def wanted(project: Project) -> Wanted:
    return release.wanted(load(project))


def said(project: Project) -> list[str]:
    found, problems = config.load(project.file)
    more = release.wanted(found).problems if found else ()
    return [str(p) for p in (*problems, *more)]


@pytest.mark.parametrize(("broken", "parts"), MISTAKES, ids=[b.__name__ for b, _ in MISTAKES])
def test_a_mistake_is_said_with_its_place(project: Project, broken: Break, parts: list[str]) -> None:
    broken(project)
    assert any(all(part in text for part in parts) for text in said(project)), said(project)


@pytest.mark.parametrize(
    ("file", "text", "parts"),
    [
        ("chart/Chart.yaml", "name: [\n", ["chart/Chart.yaml:1: MW0503"]),
        ("chart/values.yaml", "a: [\n", ["chart/values.yaml:1: MW0503"]),
        ("chart/templates/web.yaml", "{{ if }}\n", ["templates/web.yaml:1: MW0503", "missing value for if"]),
        ("chart/templates/web.yaml", '{{ fail "say why" }}\n', ["templates/web.yaml:1: MW0503", "say why"]),
        ("chart/templates/web.yaml", "kind: [\n", ["templates/web.yaml:", "MW0001"]),
        ("chart/templates/more.yaml", "- 1\n", ["templates/more.yaml:1: MW0003"]),
        ("chart/templates/more.yaml", "kind: Service\napiVersion: v1\n", ["MW0003", "no name"]),
        ("v.yaml", "a: [\n", ["v.yaml:2: MW0001"]),
        ("v.yaml", "- a\n", ["v.yaml:1: MW0001", "no mapping"]),
        ("v.yaml", b"\xff", ["v.yaml:1: MW0001", "not UTF-8"]),
    ],
)
def test_a_broken_file_is_said_with_its_line(
    project: Project, file: str, text: str | bytes, parts: list[str]
) -> None:
    (project.folder / "v.yaml").touch()
    settings = project.read()
    settings["releases"][0]["values"] = ["v.yaml"]
    project.write(settings)
    (project.folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert any(all(part in each for part in parts) for each in said(project)), said(project)


@pytest.mark.parametrize(
    ("api", "what", "code"),
    [
        ("apps/v1", "StatefulSet", "MW0105"),
        ("example.com/v1", "Widget", "MW0004"),
        ("autoscaling/v2", "HorizontalPodAutoscaler", "MW0505"),
    ],
)
def test_what_has_no_place_here_is_left_out_with_a_warning(
    project: Project, api: str, what: str, code: str
) -> None:
    more = f"apiVersion: {api}\nkind: {what}\nmetadata: {{name: more}}\n"
    (project.folder / "chart" / "templates" / "more.yaml").write_text(more)
    found = wanted(project)
    assert [(p.code, p.severity.value) for p in found.problems] == [(code, "warning")]
    assert found.errors == ()
    assert {o["kind"] for o in found.objects} == {"Namespace", "Service", "Deployment", "VirtualService"}


def test_what_is_right_has_no_problem(project: Project) -> None:
    assert said(project) == []


def test_hooks_are_not_applied(project: Project) -> None:
    hook = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: h, annotations: {helm.sh/hook: test}}\n"
    (project.folder / "chart" / "templates" / "hook.yaml").write_text(hook)
    assert "ConfigMap" not in {o["kind"] for o in wanted(project).objects}


async def test_it_is_applied_once(project: Project, store: Store) -> None:
    objects = wanted(project).objects
    assert await release.apply(store, objects) > 0
    assert await release.apply(store, objects) == 0


async def test_what_the_charts_no_longer_have_is_removed_and_nothing_else(
    project: Project, store: Store
) -> None:
    await release.apply(store, wanted(project).objects)
    mine = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine", "namespace": "default"}}
    await store.create(mine)
    (project.folder / "chart" / "templates" / "route.yaml").unlink()
    assert await release.apply(store, wanted(project).objects) == 1
    assert store.find(ROUTE) is None
    assert store.find(DEPLOYMENT)
    assert store.find(key(kind("ConfigMap"), "default", "mine"))


async def test_what_a_user_changed_stays_until_the_chart_changes_that_object(
    project: Project, store: Store
) -> None:
    await release.apply(store, wanted(project).objects)
    await store.edit(DEPLOYMENT, lambda found: {**found, "spec": {**found["spec"], "replicas": 5}})
    project.set(route={"timeout": "3s"})
    await release.apply(store, wanted(project).objects)
    assert store.get(DEPLOYMENT)["spec"]["replicas"] == 5
    assert store.get(ROUTE)["spec"]["http"][0]["timeout"] == "3s"
    project.set(replicas=2)
    await release.apply(store, wanted(project).objects)
    assert store.get(DEPLOYMENT)["spec"]["replicas"] == 2


@pytest.mark.parametrize(
    ("image", "another"),
    [
        (Image(run=("python", "web.py")), False),
        (Image(run=("python", "web.py", "never")), True),
        (Image(run=("python", "web.py"), env={"A": "b"}), True),
        (Image(run=("python", "web.py"), cwd="x"), True),
        (Image(run=("python", "web.py"), needs=("no-such",)), True),
        (Image(run=("python", "web.py"), needs=("sh",)), False),
    ],
)
def test_another_command_is_another_pod_template(tmp_path: Path, image: Image, another: bool) -> None:
    before = Image(run=("python", "web.py"))
    assert (command(tmp_path, image) != command(tmp_path, before)) == another


def command(root: Path, image: Image) -> str:
    made = commanded(
        {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [{"image": "small/web:1"}]}}}},
        Config(root, Settings(images={"small/web": image})),
    )
    return str(made["spec"]["template"]["metadata"]["annotations"][COMMAND])


def test_every_file_of_the_mesh_is_watched(project: Project) -> None:
    before = watched(load(project), project.file)
    assert {Path(name).relative_to(project.folder).as_posix() for name in before} == {
        "mesh.yaml",
        "chart/Chart.yaml",
        "chart/values.yaml",
        "chart/templates/web.yaml",
        "chart/templates/route.yaml",
    }
    route = project.folder / "chart" / "templates" / "route.yaml"
    route.unlink()
    assert before.keys() - watched(load(project), project.file).keys() == {str(route)}
