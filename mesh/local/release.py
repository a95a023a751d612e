"""Releases: charts rendered, checked and applied to the store the way Helm would, so that what users changed survives.

An object is applied when the chart renders it differently from last time, and removed when the chart renders it no more; what a user
changed with kubectl in between stays until the chart's own object changes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.link.link import link
from mesh.local.config import Config, Release
from mesh.local.render import render
from mesh.local.store import KINDS, Refused, Store, key_of
from mesh.resources.object import Object as Typed
from mesh.resources.object import parse
from mesh.resources.problem import Problem, Severity

Object = dict[str, Any]
RENDERED = "meshwright.dev/rendered"
RELEASE = "meshwright.dev/release"
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
        values = [config.root / path for path in release.values]
        made = render(config.root / release.chart, release.name, release.namespace, values, release.set)
        problems += made.problems
        parsed, wrong = parse(made.text, release.chart)
        problems += wrong
        kept = [o for o in parsed if HOOK not in o.metadata.annotations]
        typed += kept
        problems += _unknown_images(kept, config)
        objects.append(_namespace(release))
        objects += [_owned(o.raw, release) for o in kept]
    problems += link(typed)[1]
    return Wanted(tuple(_unique(objects)), tuple(sorted(problems)))


def _unknown_images(objects: Sequence[Typed[Any]], config: Config) -> list[Problem]:
    found = []
    for each in objects:
        if (
            each.kind != "Deployment"
            or each.metadata.annotations.get("inject.istio.io/templates") == "gateway"
        ):
            continue
        for i, container in enumerate(each.spec.template.spec.containers):
            gateway = each.spec.template.metadata.annotations.get("inject.istio.io/templates") == "gateway"
            if not gateway and config.image(container.image) is None:
                path = ("spec", "template", "spec", "containers", i, "image")
                text = f"mesh.yaml names no command for image {container.image}"
                fix = f"add to mesh.yaml, under images: {{{container.image.partition(':')[0]}: {{run: [program, argument]}}}}"
                found.append(each.problem(path, "MW0501", text, fix))
    return found


def _namespace(release: Release) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": release.namespace, "annotations": {RELEASE: release.name}},
    }


def _owned(obj: Object, release: Release) -> Object:
    """The object with what it takes to recognise it: its release, and a hash of what the chart said."""
    digest = hashlib.sha256(json.dumps(obj, sort_keys=True).encode()).hexdigest()[:16]
    metadata = obj["metadata"]
    annotations = {**(metadata.get("annotations") or {}), RENDERED: digest, RELEASE: release.name}
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


def watched(config: Config, path: Path) -> dict[str, float]:
    """Every file that the mesh is made of, and when it last changed: two equal answers mean that nothing did."""
    files = [path, *(config.root / v for r in config.settings.releases for v in r.values)]
    for release in config.settings.releases:
        files += (f for f in (config.root / release.chart).rglob("*") if f.is_file())
    return {str(f): f.stat().st_mtime for f in files if f.exists()}
