"""Envoy's extensions as JSON: a message in an Any can only be read when its type is known.

protobuf knows the types whose modules are loaded. Those of Envoy itself are loaded when they are met; what is left, as Istio's own
filters, is read as an empty message, which keeps the name of the filter and loses its settings.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pool, empty_pb2

_EMPTY: Final = {"@type": f"type.googleapis.com/{empty_pb2.Empty.DESCRIPTOR.full_name}"}
_PACKAGES: Final = ("envoy.", "xds.", "udpa.")


def readable(value: Any) -> Any:
    """A value of protobuf's JSON in which every message has a type that can be read."""
    if isinstance(value, list):
        return [readable(each) for each in value]
    if not isinstance(value, dict):
        return value
    if "@type" in value and not _known(value["@type"].rpartition("/")[2]):
        return _EMPTY
    return {name: readable(each) for name, each in value.items()}


@cache
def _known(name: str) -> bool:
    """Whether a message's type is known, after the modules of its package are loaded."""
    if _in_pool(name):
        return True
    if name.startswith(_PACKAGES):
        _load(name.rpartition(".")[0])
    return _in_pool(name)


def _in_pool(name: str) -> bool:
    try:
        descriptor_pool.Default().FindMessageTypeByName(name)
    except KeyError:
        return False
    return True


def _load(package: str) -> None:
    try:
        found = importlib.import_module(package)
    except ImportError:
        return
    for module in pkgutil.iter_modules(found.__path__):
        if module.name.endswith("_pb2"):
            importlib.import_module(f"{package}.{module.name}")
