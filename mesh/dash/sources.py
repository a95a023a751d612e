"""Where a dash reads a mesh from: set together by the command, each behind its protocol; any but Kubernetes may be missing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from mesh.dash.fetch import Server
from mesh.dash.jaeger import HttpJaeger, Jaeger
from mesh.dash.kubeconfig import server
from mesh.dash.kubernetes import HttpKubernetes, Kubernetes
from mesh.dash.loglines import HttpLogs, Logs
from mesh.dash.prometheus import HttpPrometheus, Prometheus


@dataclass(frozen=True)
class Sources:
    """``name`` is what the page calls the mesh; ``window`` the seconds that rates are taken over unless asked otherwise.

    ``said`` is what is wrong with the mesh's files, which are then not applied. ``local``: calls can be made from the place of a workload.
    """

    name: str
    kubernetes: Kubernetes
    prometheus: Prometheus | None = None
    jaeger: Jaeger | None = None
    logs: Logs | None = None
    window: float = 30.0
    local: bool = False
    said: Callable[[], Sequence[str]] = lambda: ()


@dataclass(frozen=True)
class Urls:
    """Where metrics, traces and logs are asked for; "" where nobody knows them."""

    prometheus: str = ""
    jaeger: str = ""
    logs: str = ""


def opened(
    name: str, kubeconfig: Path, context: str, urls: Urls, window: float, progress: Path | None = None
) -> Sources:
    """``progress`` is the file of a mesh on this machine. Raises CannotRead."""
    return Sources(
        name=name,
        kubernetes=HttpKubernetes(server(kubeconfig, context)),
        prometheus=HttpPrometheus(Server(urls.prometheus)) if urls.prometheus else None,
        jaeger=HttpJaeger(Server(urls.jaeger)) if urls.jaeger else None,
        logs=HttpLogs(Server(urls.logs)) if urls.logs else None,
        window=window,
        local=progress is not None,
        said=lambda: _refused(progress) if progress else (),
    )


def _refused(progress: Path) -> Sequence[str]:
    try:
        return [f"not applied: {text}" for text in json.loads(progress.read_text())["refused"]]
    except (OSError, ValueError, KeyError):
        return ()
