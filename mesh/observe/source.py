"""Who sent a run of spans: its service and workload, from the resource's attributes. Used by otlp alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from mesh.observe.attributes import value
from mesh.observe.limits import Limits
from mesh.observe.span import Value
from mesh.observe.wire import Message

UNKNOWN = "unknown_service"
"""https://opentelemetry.io/docs/specs/semconv/resource/#service"""

_WORKLOADS = ("k8s.deployment.name", "k8s.statefulset.name", "k8s.daemonset.name", "k8s.job.name")
_PODS = ("k8s.pod.name", "service.instance.id", "host.name")
_OF_DEPLOYMENT = re.compile(r"(.+)-(?:[0-9a-f]{10}|[bcdfghjklmnpqrstvwxz2456789]{6,10})-[a-z0-9]{5}")
"""A Deployment's pod: the hash of the template as it is here, or as Kubernetes writes it, and five letters."""

_LONGEST_POD = 253


@dataclass(frozen=True)
class Source:
    """``workload`` is "" when the resource does not tell."""

    service: str
    workload: str
    attributes: Mapping[str, Value]

    @classmethod
    def of(cls, resource: Iterable[Message], limits: Limits) -> Source:
        found = {pair.key: value(pair.value) for pair in islice(resource, limits.attributes)}
        service = str(found.pop("service.name", "") or UNKNOWN)[: limits.name]
        kept = {key: each for key, each in found.items() if not key.startswith("telemetry.sdk.")}
        return cls(service, _workload(found)[: limits.name], kept)

    def workload_of(self, described: Mapping[str, Value]) -> str:
        """A proxy's resource does not tell, but each of its spans has its node id, and thereby its pod."""
        if self.workload:
            return self.workload
        node = str(described.get("node_id", "")).split("~")
        pod = node[2].rpartition(".")[0] if len(node) == 4 else ""
        return _deployment(pod) or self.service


def _workload(attributes: Mapping[str, Value]) -> str:
    """As told, else from the pod's name."""
    told = (str(attributes.get(key) or "") for key in _WORKLOADS)
    pods = (_deployment(str(attributes.get(key) or "")) for key in _PODS)
    return next((name for name in (*told, *pods) if name), "")


def _deployment(pod: str) -> str:
    found = _OF_DEPLOYMENT.fullmatch(pod[: _LONGEST_POD + 1])
    return found[1] if found else ""
