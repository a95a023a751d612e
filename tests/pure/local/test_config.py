"""mesh.yaml: what it may say, and what is said about what it may not."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import pytest

from mesh.local.config import Config, Image, Settings, load

RIGHT = """releases:
  - {name: small, chart: chart, values: [values.yaml], valuesIfThere: [later.yaml], set: {a: 1}}
images:
  small/web: {run: [python, web.py], env: {A: b}}
certificates: {lifetime: 1h}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart" / "Chart.yaml").touch()
    (tmp_path / "values.yaml").touch()
    return tmp_path


def said(folder: Path, text: str | bytes) -> list[str]:
    (folder / "mesh.yaml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(problem) for problem in load(folder / "mesh.yaml")[1]]


def test_what_is_right_is_read(folder: Path) -> None:
    (folder / "mesh.yaml").write_text(RIGHT)
    found, problems = load(folder / "mesh.yaml")
    assert problems == []
    assert found
    (release,) = found.settings.releases
    assert (release.name, release.namespace, release.values) == ("small", "default", ("values.yaml",))
    assert release.set == {"a": 1}
    assert release.values_if_there == ("later.yaml",)
    assert found.settings.images["small/web"] == Image(run=("python", "web.py"), env={"A": "b"})
    assert found.settings.certificates.lifetime == timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "line", "parts"),
    [
        (b"\xff\xfe", 1, ["MW0001", "not UTF-8"]),
        (b"a: 1\nb: \xff\n", 2, ["MW0001", "not UTF-8"]),
        ("releases:\n\t- a\n", 2, ["MW0001", "not YAML"]),
        ("- a\n", 1, ["MW0001", "no mapping"]),
        ("a: 1\n---\nb: 2\n", 3, ["MW0001", "several documents"]),
        (RIGHT + "imagse: {}\n", 6, ["MW0101", "did you mean images?"]),
        (RIGHT.replace("env:", "evn:"), 4, ["MW0101", "did you mean env?"]),
        (RIGHT.replace("[python, web.py]", "python web.py"), 4, ["MW0103", "expected a list"]),
        (RIGHT.replace("1h", "soon"), 5, ["MW0103", "expected a duration"]),
        (RIGHT.replace("1h", "1s"), 5, ["MW0504", "2s"]),
        (RIGHT + "images: {}\n", 6, ["MW0002", "given twice"]),
        (RIGHT.replace("chart: chart", "chart: cart"), 2, ["MW0504", "there is no chart in cart"]),
        (RIGHT.replace("name: small, ", ""), 2, ["MW0504", "no name"]),
        (RIGHT.replace("values.yaml", "v.yaml"), 2, ["MW0504", "there is no file v.yaml"]),
        (RIGHT.replace("run: [python, web.py], ", ""), 4, ["MW0504", "small/web has no command"]),
        (
            RIGHT.replace("python, web.py", "no-such, x"),
            4,
            ["MW0504", "no program no-such to run for small/web"],
        ),
        (RIGHT.replace("python, web.py", "bin/web"), 4, ["MW0504", "no program bin/web"]),
        ("images: {}\n", 1, ["MW0504", "no release is named"]),
        (RIGHT.replace("env:", "build: [{makes: a, sources: [chart]}], env:"), 4, ["MW0504", "has no run"]),
        (
            RIGHT.replace("env:", "build: [{run: [x], makes: a, sources: [b]}], env:"),
            4,
            ["MW0504", "no source b"],
        ),
        (RIGHT.replace("env:", "needs: [no-such], env:"), 4, ["MW0502", "warning", "needs no-such"]),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    folder: Path, text: str | bytes, line: int, parts: list[str]
) -> None:
    found = said(folder, text)
    assert len(found) == 1, found
    assert found[0].startswith(f"mesh.yaml:{line}: ")
    for part in parts:
        assert part in found[0]


def test_of_an_image_that_is_left_out_the_program_is_not_looked_for(folder: Path) -> None:
    (problem,) = said(
        folder, RIGHT.replace("run: [python, web.py]", "needs: [no-such], run: [no-such, run, web.py]")
    )
    assert "MW0502" in problem


@pytest.mark.parametrize(("text", "part"), [(None, "there is no mesh.yaml in"), ("", "mesh.yaml is empty")])
def test_no_file_and_an_empty_one(folder: Path, text: str | None, part: str) -> None:
    if text is not None:
        (folder / "mesh.yaml").write_text(text)
    found, (problem,) = load(folder / "mesh.yaml")
    assert found is None
    assert part in str(problem)


@pytest.mark.parametrize(
    ("reference", "known"),
    [
        ("shop/catalog", True),
        ("shop/catalog:1.2", True),
        ("registry.example.com:5000/shop/catalog:1.2", True),
        ("registry.example.com/shop/catalog@sha256:abc", True),
        ("shop/catalog:1.2@sha256:abc", True),
        ("catalog", False),
        ("myshop/catalog", False),
        ("shop/catalogue", False),
    ],
)
def test_an_image_is_known_without_registry_and_tag(reference: str, known: bool) -> None:
    image = Image(run=("python",))
    config = Config(Path(), Settings(images={"shop/catalog": image}))
    assert (config.image(reference) is image) == known


def test_a_program_is_looked_for_where_it_will_run(tmp_path: Path) -> None:
    program = tmp_path / "go" / "bin" / "web"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    assert Image(run=("bin/web",), cwd="go").program(tmp_path) == str(program)
    assert Image(run=("./bin/web",)).program(tmp_path) is None
    assert Image(run=("python", "x.py")).program(tmp_path) == sys.executable
    assert Image(run=("sh",)).program(tmp_path)
