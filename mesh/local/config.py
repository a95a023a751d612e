"""mesh.yaml -> Config: which charts to run, and what to run on this machine instead of each container image.

Read by `mesh up` and `mesh check`; a mistake is a Problem with its line.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from mesh.local import yamlfile
from mesh.resources.decode import Decoder
from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.tree import Document

NAME = "mesh.yaml"
SHORTEST_LIFETIME = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Release:
    """A chart to install: ``values`` are files beside mesh.yaml, ``values_if_there`` files that a program may write later, on top of
    them, and ``set`` values on top of all."""

    name: str = ""
    namespace: str = "default"
    chart: str = ""
    values: tuple[str, ...] = ()
    values_if_there: tuple[str, ...] = ()
    set: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """A command that makes what an image runs: ``makes`` a file, out of ``sources``, files and folders; all relative to ``cwd``."""

    run: tuple[str, ...] = ()
    makes: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Image:
    """What stands for a container image: the command, the tools it needs, and its working directory and environment.

    ``build`` is done before it runs, each step when it is due (``build``).
    """

    run: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)
    build: tuple[Step, ...] = ()

    @property
    def missing(self) -> list[str]:
        """Of the tools that it needs, those that are not installed."""
        return [tool for tool in self.needs if shutil.which(tool) is None]

    def program(self, root: Path, name: str = "") -> str | None:
        """Where a program is, that which it runs when none is named: ``python`` is the interpreter of the mesh itself, a path begins
        at ``cwd``."""
        name = name or self.run[0]
        if name in ("python", "python3"):
            return sys.executable
        path = str((root / self.cwd / name).resolve()) if "/" in name else name
        return shutil.which(path, path=search_path())


_KEPT = (
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TZ",
    "USER",
    "SSL_CERT_FILE",
    "GOPATH",
    "GOCACHE",
    "GOFLAGS",
    "GOPROXY",
)


def inherited(root: Path) -> dict[str, str]:
    """The environment that every program gets, whoever starts the mesh."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "PATH": search_path(), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(root)}


def search_path() -> str:
    """Where programs are looked for: beside the mesh's own interpreter first."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])


@dataclass(frozen=True, slots=True)
class Certificates:
    """``lifetime`` of a workload's certificate; it is replaced at half of it."""

    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Observing:
    """``enabled``: whether traces are taken; ``keep``: for how long, while the mesh runs."""

    enabled: bool = True
    keep: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Settings:
    """mesh.yaml as it is written."""

    releases: tuple[Release, ...] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    certificates: Certificates = field(default_factory=Certificates)
    observatory: Observing = field(default_factory=Observing)


@dataclass(frozen=True)
class Config:
    """mesh.yaml as it is used. ``root`` is the directory that its paths are relative to; ``builds`` says where an image is built."""

    root: Path
    settings: Settings
    builds: Mapping[str, Place] = field(default_factory=dict)

    def image(self, reference: str) -> Image | None:
        """What to run for ``registry/shop/catalog:1.2``."""
        name = self.known(reference)
        return self.settings.images[name] if name else None

    def known(self, reference: str) -> str | None:
        """The name in mesh.yaml of ``registry/shop/catalog:1.2``: images are named without registry and tag."""
        name = reference.partition("@")[0]
        head, slash, last = name.rpartition("/")
        name = head + slash + last.partition(":")[0]
        for known in self.settings.images:
            if name == known or name.endswith(f"/{known}"):
                return known
        return None


def load(path: Path) -> tuple[Config | None, list[Problem]]:
    """Read mesh.yaml. Without any usable document the Config is None and a Problem says why."""
    root = path.parent.resolve()
    if not path.is_file():
        text = f"there is no {path.name} in {root}"
        fix = "run mesh in the directory that has it, or say where with --file"
        return None, [Problem(Place(str(path)), "MW0504", Severity.ERROR, text, fix)]
    document, problems = yamlfile.mapping(path, path.name)
    if document is None:
        text = f"{path.name} is empty"
        return None, problems or [Problem(Place(path.name), "MW0504", Severity.ERROR, text, "name a release")]
    settings = Decoder(document, problems).decode(Settings, document.data, ())
    misread = {problem.place.line for problem in problems}  # what follows from that is not worth saying
    problems += (p for p in _check(document, root, settings) if p.place.line not in misread)
    builds = {
        name: document.place(("images", name, "build")) for name, i in settings.images.items() if i.build
    }
    return Config(root, settings, builds), problems


def _check(document: Document, root: Path, settings: Settings) -> list[Problem]:
    found: list[Problem] = []

    def report(path: tuple[str | int, ...], text: str, fix: str) -> None:
        found.append(Problem(document.place(path), "MW0504", Severity.ERROR, text, fix))

    if not settings.releases:
        report(
            ("releases",),
            "no release is named, so that there is nothing to run",
            "name a chart under releases",
        )
    for i, release in enumerate(settings.releases):
        if not release.name:
            report(("releases", i), "this release has no name", "give it one")
        if not (root / release.chart / "Chart.yaml").is_file():
            report(
                ("releases", i, "chart"),
                f"there is no chart in {release.chart or '(no path)'}",
                "give the path of a directory with Chart.yaml",
            )
        for j, values in enumerate(release.values):
            if not (root / values).is_file():
                report(
                    ("releases", i, "values", j),
                    f"there is no file {values}",
                    "paths are relative to mesh.yaml",
                )
    for name, image in settings.images.items():
        if not image.run:
            report(("images", name), f"image {name} has no command", "give run: [program, argument, ...]")
        elif not image.missing and not image.build and image.program(root) is None:
            text = f"there is no program {image.run[0]} to run for {name}"
            report(("images", name, "run"), text, "install or build it, or correct run")
        for i, step in enumerate(image.build):
            for wrong in _wrong(step, root / image.cwd):
                fix = "give {run: [program, argument], makes: FILE, sources: [FILE or FOLDER]}"
                report(("images", name, "build", i), wrong, fix)
        found += (_needed(document, name, tool) for tool in image.missing)
    if settings.certificates.lifetime < SHORTEST_LIFETIME:
        report(("certificates", "lifetime"), "certificates cannot live shorter than 2s", "give 10s or more")
    return found


def _wrong(step: Step, folder: Path) -> list[str]:
    missing = [name for name in ("run", "makes", "sources") if not getattr(step, name)]
    gone = [source for source in step.sources if not (folder / source).exists()]
    return [
        *(f"this step has no {name}" for name in missing),
        *(f"there is no source {each}" for each in gone),
    ]


def _needed(document: Document, image: str, tool: str) -> Problem:
    text = f"{image} needs {tool}, which is not installed: its workloads are left out"
    place = document.place(("images", image, "needs"))
    return Problem(place, "MW0502", Severity.WARNING, text, f"install {tool} and save this file again")
