"""A pod's Envoy: its bootstrap, its process, and when it first holds its configuration."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any

from mesh.envoy.bootstrap import arguments, bootstrap, envoy_binary
from mesh.local.container import Spec
from mesh.local.paths import SOCKET, Paths
from mesh.model.service import Workload

NAME = "istio-proxy"
IMAGE = "envoy"


def spec(paths: Paths, workload: Workload) -> Spec:
    """How the Envoy beside (or instead of) a pod's containers is run."""
    directory = paths.pod(workload.name)
    directory.mkdir(parents=True, exist_ok=True)
    config = directory / "envoy.json"
    made = bootstrap(
        workload.proxy_id,
        cluster=f"{workload.labels.get('app', workload.owner)}.{workload.namespace}",
        socket=SOCKET,
        admin_socket=str((directory / "admin.sock").relative_to(paths.run)),
        metadata=_metadata(workload),
    )
    config.write_text(json.dumps(made))
    return Spec(
        name=NAME,
        image=IMAGE,
        command=[str(envoy_binary()), *arguments(config.relative_to(paths.run))],
        environment={"PATH": os.environ.get("PATH", ""), "HOME": str(paths.run)},
        directory=paths.run,
        log=paths.log(workload.name, NAME),
        record=directory / f"{NAME}.pid",
    )


def _metadata(workload: Workload) -> Mapping[str, Any]:
    return {
        "NAMESPACE": workload.namespace,
        "SERVICE_ACCOUNT": workload.identity.service_account,
        "WORKLOAD_NAME": workload.owner,
        "LABELS": dict(workload.labels),
        "INSTANCE_IPS": workload.pod_address,
    }
