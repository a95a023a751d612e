"""Contracts out of files: the contract.yaml of a chart and of the charts in it, or what `protoc --descriptor_set_out` and `buf build -o` write."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions, ServiceDescriptorProto
from google.protobuf.message import DecodeError

from mesh.contract.methods import Contract, Contracts, Method
from mesh.local import yamlfile
from mesh.resources.decode import Decoder
from mesh.resources.problem import Place, Problem, Severity

NAME = "contract.yaml"


@dataclass(frozen=True, slots=True)
class _File:
    """contract.yaml as it is written."""

    service: str = ""
    methods: tuple[Method, ...] = ()


def beside(charts: Iterable[Path]) -> list[Path]:
    return sorted(path for chart in charts for path in chart.rglob(NAME))


def read(paths: Iterable[Path]) -> tuple[Contracts, list[Problem]]:
    """YAML by its suffix, descriptors else. A file that cannot be read is a Problem."""
    found: list[Contract] = []
    problems: list[Problem] = []
    for path in paths:
        made, wrong = _yaml(path) if path.suffix in (".yaml", ".yml") else _descriptors(path)
        found += made
        problems += wrong
    return Contracts(tuple(found)), problems


def _yaml(path: Path) -> tuple[list[Contract], list[Problem]]:
    document, problems = yamlfile.mapping(path, str(path))
    if document is None:
        return [], problems
    given = Decoder(document, problems, open=True).decode(_File, document.data, ())
    places = {each.name: document.place(("methods", i)) for i, each in enumerate(given.methods)}
    return [Contract(given.service, given.methods, places)], problems


def _descriptors(path: Path) -> tuple[list[Contract], list[Problem]]:
    try:
        files = FileDescriptorSet.FromString(path.read_bytes()).file
    except (OSError, DecodeError) as error:
        text = f"this is no set of proto descriptors: {getattr(error, 'strerror', None) or error}"
        fix = "write one with `buf build -o FILE`, or protoc --descriptor_set_out"
        return [], [Problem(Place(str(path)), "MW0001", Severity.ERROR, text, fix)]
    return [_contract(file.package, service, path) for file in files for service in file.service], []


def _contract(package: str, service: ServiceDescriptorProto, path: Path) -> Contract:
    name = f"{package}.{service.name}" if package else service.name
    methods = tuple(_methods(service))
    return Contract(name, methods, {each.name: Place(str(path)) for each in methods})


def _methods(service: ServiceDescriptorProto) -> Iterator[Method]:
    for each in service.method:
        level = each.options.idempotency_level
        yield Method(each.name, level != MethodOptions.IDEMPOTENCY_UNKNOWN, None, each.server_streaming)
