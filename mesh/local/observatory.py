"""Where the observatory is: its ports are chosen once, since services are told of them, and outlive the control plane."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mesh.local.paths import Paths

if TYPE_CHECKING:
    from mesh.local.ports import Allocator

#: The name of its process, and of the cluster by which sidecars know it.
NAME = "observatory"


@dataclass(frozen=True)
class Observatory:
    """``otlp`` takes OTLP over gRPC; ``http`` takes it over HTTP, and answers Jaeger's query API. Ports of 127.0.0.1."""

    otlp: int
    http: int

    @property
    def endpoint(self) -> str:
        """As OTEL_EXPORTER_OTLP_ENDPOINT wants it."""
        return f"http://127.0.0.1:{self.otlp}"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"


def find(paths: Paths) -> Observatory | None:
    """That of the mesh that runs, or None."""
    try:
        return Observatory(**json.loads(_file(paths).read_text()))
    except FileNotFoundError:
        return None


def taken(paths: Paths) -> set[int]:
    """The ports of the one that runs."""
    found = find(paths)
    return {found.otlp, found.http} if found else set()


def settle(paths: Paths, allocator: Allocator) -> Observatory:
    """The one that a control plane before this one left, else new ports."""
    found = find(paths)
    if found is None:
        found = Observatory(allocator.take(), allocator.take())
        written = _file(paths).with_suffix(".new")
        written.write_text(json.dumps(asdict(found)))
        written.replace(_file(paths))
    return found


def _file(paths: Paths) -> Path:
    return paths.run / f"{NAME}.json"
