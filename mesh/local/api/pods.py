"""What `kubectl get pods` says of a pod: what is ready, what it is doing, how often it was restarted.

The rules are those of kubectl's printer (k8s.io/kubernetes/pkg/printers/internalversion, printPod).
"""

from __future__ import annotations

from typing import Any

from mesh.local.store import Object
from mesh.local.store.object import at


def ready(pod: Object) -> str:
    containers = at(pod, "spec.containers") or []
    return f"{sum(bool(state.get('ready')) for state in _states(pod))}/{len(containers)}"


def restarts(pod: Object) -> str:
    return str(sum(int(state.get("restartCount") or 0) for state in _states(pod)))


def status(pod: Object) -> str:
    """The phase, or the more telling reason: of the pod, else of a container that waits or has ended."""
    if at(pod, "metadata.deletionTimestamp"):
        return "Terminating"
    told = str(at(pod, "status.reason") or at(pod, "status.phase") or "Pending")
    for state in _states(pod):
        if reason := at(state, "state.waiting.reason"):
            return str(reason)
        if ended := at(state, "state.terminated"):
            told = _ended(ended)
    return told


def _ended(terminated: dict[str, Any]) -> str:
    if reason := terminated.get("reason"):
        return str(reason)
    if signal := terminated.get("signal"):
        return f"Signal:{signal}"
    return f"ExitCode:{terminated.get('exitCode', 0)}"


def _states(pod: Object) -> list[Object]:
    found: list[Object] = at(pod, "status.containerStatuses") or []
    return found
