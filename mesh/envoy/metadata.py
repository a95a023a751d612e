"""Plain data as Envoy's metadata: what istiod writes about where a resource came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from envoy.config.core.v3.base_pb2 import Metadata
from google.protobuf.struct_pb2 import Struct


def metadata(**filters: Mapping[str, Any]) -> Metadata:
    """Metadata by filter name; an empty one is left out."""
    return Metadata(filter_metadata={name: struct(values) for name, values in filters.items() if values})


def struct(values: Mapping[str, Any]) -> Struct:
    made = Struct()
    made.update(values)
    return made


def config_path(kind: str, namespace: str, name: str) -> str:
    """The Kubernetes path of an Istio networking resource, as in ``filterMetadata.istio.config``."""
    return f"/apis/networking.istio.io/v1/namespaces/{namespace}/{kind}/{name}"
