"""ConfigMaps and Secrets as containers get them: values of variables, and files below a mount.

Read when a pod starts, and for its files again whenever one of them changes, as Kubernetes does.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

Object = Mapping[str, Any]
#: The ConfigMap or Secret of that kind and name in the pod's namespace, or None.
Find = Callable[[str, str], Object | None]

_REFERENCES: Final = {"configMapKeyRef": "ConfigMap", "secretKeyRef": "Secret"}
_SOURCES: Final = {"configMapRef": "ConfigMap", "secretRef": "Secret"}
_VOLUMES: Final = {"configMap": ("ConfigMap", "name"), "secret": ("Secret", "secretName")}


class Missing(Exception):
    """A ConfigMap, a Secret or a key that a container cannot do without, named in the text."""


def variable(source: Object, find: Find) -> str | None:
    """What a ``valueFrom`` stands for; None when it names neither, or an optional one that is not there. Raises Missing."""
    for reference, kind in _REFERENCES.items():
        if asked := source.get(reference):
            found = _data(kind, asked["name"], find)
            if found is not None and asked["key"] in found:
                return found[asked["key"]].decode()
            if not asked.get("optional"):
                raise Missing(_text(kind, asked["name"], found, asked["key"]))
    return None


def variables(container: Object, find: Find) -> Iterator[tuple[str, str]]:
    """Those of ``envFrom``, in its order. Raises Missing."""
    for source in container.get("envFrom") or ():
        for reference, kind in _SOURCES.items():
            if asked := source.get(reference):
                found = _data(kind, asked["name"], find)
                if found is None and not asked.get("optional"):
                    raise Missing(_text(kind, asked["name"], found, ""))
                for key, value in (found or {}).items():
                    yield f"{source.get('prefix', '')}{key}", value.decode()


def fill(volume: Object, directory: Path, find: Find) -> None:
    """Makes a volume's directory, and of one that is a ConfigMap or a Secret the files what that now holds. Raises Missing.

    Files are replaced whole, so that nobody reads half of one; a Secret's are read by their owner only.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for source, (kind, name) in _VOLUMES.items():
        if asked := volume.get(source):
            files = _files(kind, asked[name], asked, find)
            _write(directory, files, 0o600 if kind == "Secret" else 0o644)


def mentioned(pod: Object) -> set[tuple[str, str]]:
    """Kind and name of each that the pod has mounted."""
    return {
        (kind, volume[source][name])
        for volume in pod["spec"].get("volumes") or ()
        for source, (kind, name) in _VOLUMES.items()
        if volume.get(source)
    }


def _files(kind: str, name: str, asked: Object, find: Find) -> dict[str, bytes]:
    found = _data(kind, name, find)
    if found is None:
        if asked.get("optional"):
            return {}
        raise Missing(_text(kind, name, None, ""))
    if not asked.get("items"):
        return found
    chosen = {}
    for item in asked["items"]:
        if item["key"] in found:
            chosen[item["path"]] = found[item["key"]]
        elif not asked.get("optional"):
            raise Missing(_text(kind, name, found, item["key"]))
    return chosen


def _write(directory: Path, files: Mapping[str, bytes], mode: int) -> None:
    for old in sorted(directory.rglob("*"), reverse=True):
        if old.is_file() and str(old.relative_to(directory)) not in files:
            old.unlink()
    for name, content in files.items():
        path = directory / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.new")
        draft.touch(mode=mode)
        draft.write_bytes(content)
        draft.replace(path)


def _data(kind: str, name: str, find: Find) -> dict[str, bytes] | None:
    found = find(kind, name)
    if found is None:
        return None
    if kind == "Secret":
        return {key: base64.b64decode(value) for key, value in (found.get("data") or {}).items()}
    plain = {key: value.encode() for key, value in (found.get("data") or {}).items()}
    return plain | {key: base64.b64decode(value) for key, value in (found.get("binaryData") or {}).items()}


def _text(kind: str, name: str, found: Object | None, key: str) -> str:
    if found is None:
        return f"there is no {kind} {name}"
    known = ", ".join(sorted(found)) or "none"
    return f"{kind} {name} has no key {key}; it has {known}"
