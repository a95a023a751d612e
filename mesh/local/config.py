"""mesh.yaml -> Config: which charts to run, and what to run on this machine instead of each container image.

Read by `mesh up` and `mesh check`; a mistake is a Problem with its line.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from mesh.resources.decode import Decoder
from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.tree import Document, documents

NAME = "mesh.yaml"
SHORTEST_LIFETIME = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Release:
    """A chart to install: ``values`` are files beside mesh.yaml, ``set`` values on top of them."""

    name: str = ""
    namespace: str = "default"
    chart: str = ""
    values: tuple[str, ...] = ()
    set: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """What stands for a container image: the command, the tools it needs, and its working directory and environment."""

    run: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    cwd: str = "."
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Certificates:
    """``lifetime`` of a workload's certificate; it is replaced at half of it."""

    lifetime: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Settings:
    """mesh.yaml as it is written."""

    releases: tuple[Release, ...] = ()
    images: Mapping[str, Image] = field(default_factory=dict)
    certificates: Certificates = field(default_factory=Certificates)


@dataclass(frozen=True)
class Config:
    """mesh.yaml as it is used. ``root`` is the directory that its paths are relative to."""

    root: Path
    settings: Settings

    def image(self, reference: str) -> Image | None:
        """What to run for ``registry/shop/catalog:1.2``: images are named without registry and tag."""
        name = reference.partition("@")[0]
        head, slash, last = name.rpartition("/")
        name = head + slash + last.partition(":")[0]
        for known, image in self.settings.images.items():
            if name == known or name.endswith(f"/{known}"):
                return image
        return None


def load(path: Path) -> tuple[Config | None, list[Problem]]:
    """Read mesh.yaml. Without any usable document the Config is None and a Problem says why."""
    root = path.parent.resolve()
    if not path.is_file():
        text = f"there is no {path.name} in {root}"
        fix = "run mesh in the directory that has it, or say where with --file"
        return None, [Problem(Place(str(path)), "MW0504", Severity.ERROR, text, fix)]
    found, problems = documents(path.read_text(), path.name)
    if not found or not isinstance(found[0].data, dict):
        text = "mesh.yaml is empty"
        return None, problems or [Problem(Place(path.name), "MW0504", Severity.ERROR, text, "name a release")]
    document = found[0]
    settings = Decoder(document, problems).decode(Settings, document.data, ())
    problems += _check(document, root, settings)
    return Config(root, settings), problems


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
    if settings.certificates.lifetime < SHORTEST_LIFETIME:
        report(("certificates", "lifetime"), "certificates cannot live shorter than 2s", "give 10s or more")
    return found
