"""A pod's Envoy: its bootstrap, its process, and whether it has accepted its configuration yet."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from mesh.envoy.bootstrap import arguments, bootstrap, envoy_binary
from mesh.envoy.node import node
from mesh.local import observatory
from mesh.local.container import Spec
from mesh.local.paths import OTLP_SOCKET, SOCKET, Paths
from mesh.model.service import Workload
from mesh.xds.proxy import ProxyStatus

NAME = "istio-proxy"
IMAGE = "envoy"


@dataclass(frozen=True)
class Accepted:
    """Asked of an Envoy after its start. It is never given up: what it rejects may be mended while it runs."""

    status: Callable[[], ProxyStatus]
    period = 0.1
    delay = 0.0
    failures = sys.maxsize
    successes = 1

    async def ask(self) -> str:
        found = self.status()
        if found.rejected:
            return f"it rejects its configuration: {found.rejected}"
        return "" if found.acked else "it has not accepted its configuration yet"


def spec(paths: Paths, workload: Workload, status: Callable[[], ProxyStatus], observed: bool = False) -> Spec:
    """How the Envoy beside (or instead of) a pod's containers is run; ``status`` says where it stands.

    ``observed``: whether it tells the observatory of what it sees.
    """
    directory = paths.pod(workload.name)
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "envoy.json"
    admin_socket = str((directory / "admin.sock").relative_to(paths.run))
    told = (observatory.NAME, OTLP_SOCKET) if observed else None
    made = bootstrap(node(workload), socket=SOCKET, admin_socket=admin_socket, observatory=told)
    config.write_text(json.dumps(made))
    return Spec(
        name=NAME,
        image=IMAGE,
        command=[str(envoy_binary()), *arguments(config.relative_to(paths.run))],
        environment={"PATH": os.environ.get("PATH", ""), "HOME": str(paths.run)},
        directory=paths.run,
        log=paths.log(workload.name, NAME),
        record=directory / f"{NAME}.pid",
        startup=Accepted(status),
    )
