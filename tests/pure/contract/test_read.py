"""Contracts are read from a chart's contract.yaml and from the descriptors that protoc and buf write."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from google.protobuf.descriptor_pb2 import FileDescriptorSet, MethodOptions

from mesh.contract.methods import Method
from mesh.contract.read import beside, read

HERE = Path(__file__).parent


def test_yaml_says_what_each_method_bears_and_where() -> None:
    found, problems = read([HERE / "contract.yaml"])
    assert problems == []
    (contract,) = found.all
    assert contract.service == "shop.v1.Orders"
    assert contract.methods[0] == Method("Place", False, timedelta(seconds=5))
    assert str(contract.places["Get"]) == f"{HERE / 'contract.yaml'}:4"
    assert contract.path(contract.methods[1]) == "/shop.v1.Orders/Get"


def test_descriptors_say_which_methods_may_be_repeated(tmp_path: Path) -> None:
    given = FileDescriptorSet()
    file = given.file.add(name="a.proto", package="shop.v1")
    service = file.service.add(name="Orders")
    service.method.add(name="Place")
    service.method.add(name="Get", options=MethodOptions(idempotency_level=MethodOptions.NO_SIDE_EFFECTS))
    service.method.add(name="Watch", server_streaming=True)
    (tmp_path / "set.binpb").write_bytes(given.SerializeToString())
    found, problems = read([tmp_path / "set.binpb"])
    assert problems == []
    (contract,) = found.all
    assert contract.service == "shop.v1.Orders"
    assert [(m.name, m.idempotent, m.streams) for m in contract.methods] == [
        ("Place", False, False),
        ("Get", True, False),
        ("Watch", False, True),
    ]


def test_what_is_neither_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xff")
    (tmp_path / "contract.yaml").write_text("service: a.B\nmethods:\n  - {name: [C]}\n")
    found, problems = read([tmp_path / "x", *beside([tmp_path])])
    assert [str(problem.place).rpartition("/")[2] for problem in problems] == ["x", "contract.yaml:3"]
    assert "no set of proto descriptors" in problems[0].message
    assert [each.service for each in found.all] == ["a.B"]
