"""Releases: charts rendered, checked and applied to the store the way Helm would, so that what users changed survives.

An object is applied when the chart renders it differently from last time, and removed when the chart renders it no more; what a user
changed with kubectl in between stays until the chart's own object changes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import stat
from collections.abc import Container, Mapping, Sequence
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

from mesh.envoy.patching import linked
from mesh.local.config import Config, Release
from mesh.local.render import render
from mesh.local.store import KINDS, Refused, Store, key_of, kind_of
from mesh.resources.object import Object as Typed
from mesh.resources.object import parse
from mesh.resources.problem import Problem, Severity

Object = dict[str, Any]
RENDERED = "meshwright.dev/rendered"
RELEASE = "meshwright.dev/release"
COMMAND = "meshwright.dev/command"
HOOK = "helm.sh/hook"
MANAGER = "meshwright"


@dataclass(frozen=True)
class Wanted:
    """All that mesh.yaml's charts render to, and what is wrong with it; nothing is applied while there is an ERROR."""

    objects: tuple[Object, ...]
    problems: tuple[Problem, ...]

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def wanted(config: Config) -> Wanted:
    """Render and check every release. Blocking: Helm runs in a child process."""
    objects: list[Object] = []
    typed: list[Typed[Any]] = []
    problems: list[Problem] = []
    for release in config.settings.releases:
        kept, wrong = rendered(config, release)
        problems += wrong
        typed += kept
        problems += _unknown_images(kept, config)
        objects.append(_namespace(release))
        objects += (_owned(commanded(o.raw, config), release) for o in kept if _served(o))
    problems += linked(typed)[1]
    problems += _left_out(typed, {p.place.file + str(p.place.line) for p in problems})
    return Wanted(tuple(_unique(objects)), tuple(sorted(problems)))


def rendered(config: Config, release: Release) -> tuple[list[Typed[Any]], list[Problem]]:
    """What the chart of a release renders to, hooks left out. Blocking, as ``wanted``."""
    values = [config.root / path for path in release.values]
    values += [path for each in release.values_if_there if (path := config.root / each).is_file()]
    made = render(config.root / release.chart, release.name, release.namespace, values, release.set)
    parsed, wrong = parse(made.text, release.chart)
    kept = [o for o in parsed if HOOK not in o.metadata.annotations]
    return kept, [*(_relative(p, config.root) for p in made.problems), *wrong]


def _relative(problem: Problem, root: Path) -> Problem:
    """Files are named as from mesh.yaml."""
    return replace(problem, place=replace(problem.place, file=problem.place.file.removeprefix(f"{root}/")))


def _is_gateway(each: Typed[Any]) -> bool:
    annotations: Mapping[str, str] = each.spec.template.metadata.annotations
    return annotations.get("inject.istio.io/templates") == "gateway"


def _unknown_images(objects: Sequence[Typed[Any]], config: Config) -> list[Problem]:
    found = []
    for each in objects:
        if each.kind != "Deployment" or _is_gateway(each):
            continue
        for i, container in enumerate(each.spec.template.spec.containers):
            if config.image(container.image) is None:
                path = ("spec", "template", "spec", "containers", i, "image")
                text = f"mesh.yaml names no command for image {container.image}"
                fix = f"add to mesh.yaml, under images: {{{container.image.partition(':')[0]}: {{run: [program, argument]}}}}"
                found.append(each.problem(path, "MW0501", text, fix))
    return found


def _served(each: Typed[Any]) -> bool:
    try:
        kind_of(each.raw)
    except Refused:
        return False
    return True


def _left_out(objects: Sequence[Typed[Any]], told: Container[str]) -> list[Problem]:
    """What has no place in the local API, where nothing else is said about it."""
    found = []
    for each in objects:
        text = f"the local Kubernetes API does not keep a {each.kind}: it is left out"
        problem = each.problem(
            ("kind",), "MW0505", text, "nothing, if callers do not need it", Severity.WARNING
        )
        if not _served(each) and problem.place.file + str(problem.place.line) not in told:
            found.append(problem)
    return found


def commanded(obj: Object, config: Config) -> Object:
    """A Deployment whose pods know by a hash what mesh.yaml runs for them: another command is another template, and rolled out."""
    if obj["kind"] != "Deployment":
        return obj
    template = obj["spec"]["template"]
    images = [config.image(c.get("image") or "") for c in template["spec"].get("containers") or ()]
    said = [
        (i.run, i.cwd, sorted(i.env.items()), i.missing, *([list(map(astuple, i.build))] if i.build else ()))
        for i in images
        if i
    ]
    if not said:
        return obj
    metadata = template.get("metadata") or {}
    annotations = {**(metadata.get("annotations") or {}), COMMAND: _digest(said)}
    return {
        **obj,
        "spec": {
            **obj["spec"],
            "template": {**template, "metadata": {**metadata, "annotations": annotations}},
        },
    }


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _namespace(release: Release) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": release.namespace, "annotations": {RELEASE: release.name}},
    }


def _owned(obj: Object, release: Release) -> Object:
    """The object with what it takes to recognise it: its release, and a hash of what the chart said."""
    metadata = obj["metadata"]
    annotations = {**(metadata.get("annotations") or {}), RENDERED: _digest(obj), RELEASE: release.name}
    return {**obj, "metadata": {"namespace": release.namespace, **metadata, "annotations": annotations}}


def _unique(objects: Sequence[Object]) -> list[Object]:
    return list({key_of(o): o for o in objects}.values())


async def apply(store: Store, objects: Sequence[Object]) -> int:
    """Bring the store to what the charts say; returns how many objects changed. Raises Refused, and then nothing changed."""
    due = [o for o in objects if _differs(store, o)]
    if due:
        await store.apply_all(due, manager=MANAGER, force=True)
    names = {key_of(o) for o in objects}
    gone = [o for kind in KINDS for o in store.list(kind) if _mine(o) and key_of(o) not in names]
    for obj in gone:
        try:
            await store.delete(key_of(obj))
        except Refused as refused:
            if refused.reason != "NotFound":
                raise
    return len(due) + len(gone)


def _differs(store: Store, obj: Object) -> bool:
    known = store.find(key_of(obj))
    if known is None:
        return True
    return _annotation(known, RENDERED) != _annotation(obj, RENDERED)


def _mine(obj: Object) -> bool:
    return bool(_annotation(obj, RENDERED))


def _annotation(obj: Object, name: str) -> str:
    return str((obj["metadata"].get("annotations") or {}).get(name, ""))


def watched(config: Config, path: Path) -> dict[str, int]:
    """Every file that the mesh is made of, and when it last changed: two equal answers mean that nothing did."""
    files = [path]
    for release in config.settings.releases:
        files += (config.root / each for each in (*release.values, *release.values_if_there))
        files += (config.root / release.chart).rglob("*")
    found = {}
    for file in files:
        with contextlib.suppress(OSError):  # it may go at any moment
            status = file.stat()
            if not stat.S_ISDIR(status.st_mode):
                found[str(file)] = status.st_mtime_ns
    return found
