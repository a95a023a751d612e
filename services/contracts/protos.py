"""The contracts as they are written, with their comments and the lines on which they stand.

Input: the folder of the protos. Output: a `Service` for each, by its chart's name. protoc reads them, so that nothing is parsed twice.
"""

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    EnumDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    MethodDescriptorProto,
    MethodOptions,
    ServiceDescriptorProto,
)

from services.gen.shop.rules.v1 import rules_pb2 as rules

SERVICE, ENUM, METHOD, VALUE = 6, 5, 2, 2
"""Numbers of fields in descriptor.proto, of which the paths of SourceCodeInfo are made."""


@dataclass(frozen=True)
class Method:
    """`place` is file:line of its `rpc`; `doc` its comment; `request` the names of the request's fields."""

    name: str
    place: str
    doc: str
    policy: rules.MethodPolicy
    idempotent: bool
    streams: bool
    has_policy: bool
    request: tuple[str, ...]

    @property
    def timeout(self) -> float:
        return self.policy.timeout.seconds + self.policy.timeout.nanos / 1e9


@dataclass(frozen=True)
class Service:
    """`chart` is its short name, `name` the full one; `reasons` are its ErrorReasons with their comments."""

    chart: str
    name: str
    file: str
    doc: str
    methods: tuple[Method, ...]
    reasons: tuple[tuple[str, str], ...]
    policy: rules.ServicePolicy

    def method(self, name: str) -> Method | None:
        return next((method for method in self.methods if method.name == name), None)


def read(folder: Path) -> dict[str, Service]:
    """By the chart's name, which is the package's: shop.orders.v1 is of orders."""
    found = (service for file in _compiled(folder).file for service in _services(file, folder))
    return {service.chart: service for service in found}


def _compiled(folder: Path) -> FileDescriptorSet:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.proto"))
    with tempfile.TemporaryDirectory() as out:
        to = Path(out) / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{folder}", "--include_source_info"]
        subprocess.run([*command, f"--descriptor_set_out={to}", *files], check=True)
        return FileDescriptorSet.FromString(to.read_bytes())


def _services(file: FileDescriptorProto, folder: Path) -> Iterator[Service]:
    shown = f"{folder.name}/{file.name}"
    at = {tuple(each.path): each for each in file.source_code_info.location}
    fields = {f".{file.package}.{m.name}": tuple(f.name for f in m.field) for m in file.message_type}

    def doc(*path: int) -> str:
        return at[path].leading_comments if path in at else ""

    def method(service: int, number: int, found: MethodDescriptorProto) -> Method:
        path = (SERVICE, service, METHOD, number)
        options = found.options
        return Method(
            name=found.name,
            place=f"{shown}:{at[path].span[0] + 1}",
            doc=doc(*path),
            policy=options.Extensions[rules.policy],
            idempotent=options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN,
            streams=found.server_streaming,
            has_policy=options.HasExtension(rules.policy),
            request=fields.get(found.input_type, ()),
        )

    for n, service in enumerate(file.service):
        yield Service(
            chart=file.package.split(".")[1],
            name=f"{file.package}.{service.name}",
            file=shown,
            doc=doc(SERVICE, n),
            methods=tuple(method(n, i, each) for i, each in enumerate(service.method)),
            reasons=_reasons(file.enum_type, doc),
            policy=_policy(service),
        )


def _policy(service: ServiceDescriptorProto) -> rules.ServicePolicy:
    return service.options.Extensions[rules.service]


def _reasons(enums: Sequence[EnumDescriptorProto], doc: Callable[..., str]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (value.name, doc(ENUM, n, VALUE, i))
        for n, enum in enumerate(enums)
        if enum.name == "ErrorReason"
        for i, value in enumerate(enum.value)
        if value.number
    )
