"""What the proxies of a mesh have counted so far, asked of their admin interfaces. Used by `mesh top`."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from mesh.observe.edges import Counts, counts
from mesh.observe.exposition import Sample, samples
from mesh.observe.istio import PREFIX, Pod, Pods, translated

TARGETS: Final = "targets.json"
_SECONDS: Final = 5.0


def counted(run: Path) -> Counts:
    """All of Istio's metrics, in the mesh whose run folder that is; a proxy that does not answer has counted nothing.

    The sockets are below ``run``, whose path must be short enough for them.
    """
    pods = Pods.read(run / TARGETS)
    for pod in pods.pods:
        _text(
            run, pod, "/stats?filter=^$"
        )  # each look merges what Envoy's threads have measured, for the next one to see
    return counts(sample for pod in pods.pods for sample in _samples(run, pod, pods))


def _samples(run: Path, pod: Pod, pods: Pods) -> Iterator[Sample]:
    for sample in samples(_text(run, pod, "/stats/prometheus?filter=^istio"), PREFIX):
        yield translated(sample, pod, pods)


def _text(run: Path, pod: Pod, url: str) -> str:
    """What its proxy's admin interface answers; "" when it does not."""
    connection = http.client.HTTPConnection("proxy")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(_SECONDS)
        connection.sock.connect(str(run / pod.admin))
        connection.request("GET", url)
        return connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
