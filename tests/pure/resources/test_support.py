"""No field of Istio's API is dropped silently: it is translated, or said not to be."""

from __future__ import annotations

import ast
import dataclasses
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mesh.link.link import link
from mesh.resources import kinds
from mesh.resources.decode import fields_of
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.object import from_json
from mesh.resources.support import KINDS_NOT_TRANSLATED, NOT_TRANSLATED

MESH = Path(kinds.__file__).parents[1]
READERS = [MESH / "compile", MESH / "link", MESH / "model"]
SPECS = {kind: spec for kind, (_, spec) in kinds._ISTIO.items() if kind not in KINDS_NOT_TRANSLATED}
#: Names for people, which configure nothing.
FOR_PEOPLE = {("HTTPMatch", "name"), ("GatewayServer", "name")}
#: What Istio ignores, and mesh check says so (MW0106).
IGNORED = {("IngressListener", "tls")}
#: What the chain of fields to a type begins with.
Way = tuple[str | int, ...]


def _types(kind: type[Any], way: Way = ()) -> Iterator[tuple[type[Any], Way]]:
    """A spec's own type and all below it that are translated, each with one way to it."""
    yield kind, way
    for name, (_, hint) in fields_of(kind).items():
        ignored = name in NOT_TRANSLATED.get(kind.__name__, ()) or (kind.__name__, name) in IGNORED
        if not ignored:
            for inner, step in _inside(hint):
                yield from _types(inner, (*way, name, *step))


def _inside(hint: Any) -> Iterator[tuple[type[Any], Way]]:
    if dataclasses.is_dataclass(hint):
        yield typing.cast(type[Any], hint), ()
    for part in typing.get_args(hint):
        step: Way = (0,) if typing.get_origin(hint) is tuple else ("x",) if part is not str else ()
        for inner, rest in _inside(part):
            yield inner, (*step, *rest) if typing.get_origin(hint) in (tuple, dict) or _maps(hint) else rest


def _maps(hint: Any) -> bool:
    origin = typing.get_origin(hint)
    return isinstance(origin, type) and issubclass(origin, typing.Mapping)


TYPES = {kind: way for spec in SPECS.values() for kind, way in _types(spec)}


def _read() -> set[str]:
    """Every attribute that a module of compile, link or model reads of anything."""
    trees = (ast.parse(path.read_text()) for folder in READERS for path in folder.glob("*.py"))
    return {node.attr for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


def test_every_field_is_translated_or_said_not_to_be() -> None:
    read = _read()
    dropped = [
        f"{kind.__name__}.{name}"
        for kind in TYPES
        for name, (attribute, _) in fields_of(kind).items()
        if attribute not in read
        and name not in NOT_TRANSLATED.get(kind.__name__, ())
        and (kind.__name__, name) not in FOR_PEOPLE
    ]
    assert dropped == []


def test_the_table_names_fields_that_there_are() -> None:
    known = {kind.__name__ for spec in (*SPECS.values(), MeshConfig) for kind, _ in _types(spec)}
    assert {*NOT_TRANSLATED} <= known


UNTRANSLATED = [
    (kind, spec, way, name)
    for kind, spec in SPECS.items()
    for inner, way in dict(_types(spec)).items()
    for name in NOT_TRANSLATED.get(inner.__name__, ())
]


@pytest.mark.parametrize(
    ("kind", "spec", "way", "name"), UNTRANSLATED, ids=[f"{k}-{n}" for k, _, _, n in UNTRANSLATED]
)
def test_a_field_that_is_not_translated_is_an_error(kind: str, spec: type[Any], way: Way, name: str) -> None:
    group = kinds._ISTIO[kind][0]
    data = {
        "apiVersion": f"{group}/v1",
        "kind": kind,
        "metadata": {"name": "a"},
        "spec": _nested(way, {name: {}}),
    }
    made, problems = from_json(data, "a")
    told = [(p.code, str(p.severity), p.place.path.rpartition(".")[2]) for p in problems]
    assert ("MW0102", "error", name) in told
    assert made is not None
    assert made.broken
    assert not _in_mesh(made)


@pytest.mark.parametrize("kind", sorted(KINDS_NOT_TRANSLATED))
def test_a_kind_that_is_not_translated_is_an_error(kind: str) -> None:
    data = {"apiVersion": f"{kinds._ISTIO[kind][0]}/v1", "kind": kind, "metadata": {"name": "a"}, "spec": {}}
    made, problems = from_json(data, "a")
    assert ("MW0102", "error") in [(p.code, str(p.severity)) for p in problems]
    assert made is not None
    assert made.broken


def _nested(way: Way, value: Any) -> Any:
    for step in reversed(way):
        value = [value] if isinstance(step, int) else {step: value}
    return value


def _in_mesh(made: Any) -> bool:
    mesh, _ = link([made])
    configs = (mesh.virtual_services, mesh.destination_rules, mesh.gateways, mesh.sidecars)
    return any(config.source is made for found in configs for config in found)
