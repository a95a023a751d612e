"""A service made by `mesh new` in each language that is installed: as clean as the rest, and with every habit of the shop."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MESH = Path(sys.executable).with_name("mesh")
TOOLS: Mapping[str, tuple[str, ...]] = {"python": (), "go": ("go",), "typescript": ("node", "npm")}
#: A name may be long or short, and nothing that is made need be formatted again.
CALLED = {"python": "madeinpythonlang", "go": "quick", "typescript": "madeintypescript"}
NAMES = {
    CALLED[language]: language
    for language, tools in TOOLS.items()
    if all(shutil.which(tool) for tool in tools)
}


def run(folder: Path, *command: str | Path, code: int = 0) -> str:
    path = os.pathsep.join([str(MESH.parent), os.environ["PATH"]])
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, "PATH": path}, timeout=300
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this one, with what was installed for it, and a new service in each language."""
    folder = tmp_path_factory.mktemp("new") / "p"
    left_out = shutil.ignore_patterns("node_modules", "build", "__pycache__")
    for name in ("proto", "services", "charts", "scripts", "docs/services", "tests/services"):
        shutil.copytree(ROOT / name, folder / name, ignore=left_out)
    for name in ("mesh.yaml", "pyproject.toml", "buf.yaml", "tests/__init__.py", "tests/conftest.py"):
        shutil.copy2(ROOT / name, folder / name)
    if (ROOT / "services" / "node_modules").exists():
        (folder / "services" / "node_modules").symlink_to(ROOT / "services" / "node_modules")
    for name, language in NAMES.items():
        said = run(folder, MESH, "new", "service", name, "--lang", language)
        assert f"new      proto/shop/{name}/v1/{name}.proto" in said
        assert "changed  mesh.yaml" in said
    run(folder, sys.executable, "scripts/generate")
    run(folder, sys.executable, "scripts/languages")
    return folder


@pytest.mark.timeout(300)
def test_what_is_made_is_clean(project: Path) -> None:
    run(project, sys.executable, "scripts/generate", "--check")
    run(project, sys.executable, "scripts/languages", "--check")
    run(project, "buf", "lint")
    own = [f"services/{name}" for name in NAMES] + [f"tests/services/test_{name}.py" for name in NAMES]
    run(project, "ruff", "check", *own)
    run(project, "ruff", "format", "--check", *own)
    assert "nothing wrong" in run(project, MESH, "check", "--chart", "charts/shop")
    if "go" in NAMES.values():
        assert run(project / "services", "gofmt", "-l", CALLED["go"]) == ""
        run(project / "services", "go", "vet", f"./{CALLED['go']}")
    if "typescript" in NAMES.values():
        run(
            project / "services",
            "node_modules/.bin/biome",
            "check",
            "--error-on-warnings",
            CALLED["typescript"],
        )


@pytest.mark.timeout(300)
def test_what_is_made_keeps_every_habit(project: Path) -> None:
    run(project, MESH, "build", *(f"shop/{name}" for name in NAMES))
    tests = [f"tests/services/test_{name}.py" for name in NAMES]
    said = run(project, sys.executable, "-m", "pytest", "-n", "0", "-p", "no:cacheprovider", *tests)
    assert "skipped" not in said


def test_nothing_is_written_when_something_is_in_the_way(project: Path) -> None:
    before = (project / "mesh.yaml").read_text()
    assert "already" in run(project, MESH, "new", "service", "orders", code=1)
    assert "small letters" in run(project, MESH, "new", "service", "No-Such", code=1)
    assert (project / "mesh.yaml").read_text() == before
