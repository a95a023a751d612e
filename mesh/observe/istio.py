"""Istio's standard metrics out of what a stock Envoy counts: whoever knows the pods adds who called whom.

Input: the samples of a proxy (mesh.compile.counting says which labels they have), and the pods of the mesh, from the file that
mesh.local.targets writes. Output: the names, labels and values that Istio's dashboards, Kiali and canary analysis ask for.

Source: https://istio.io/latest/docs/reference/config/metrics/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from mesh.observe.exposition import Sample

Labels = Mapping[str, str]

PREFIX: Final = "envoy_istio_"
UNKNOWN: Final = "unknown"
_CLUSTER: Final = "Kubernetes"
_OUTBOUND: Final = "outbound"
_CLUSTER_PARTS: Final = 4


@dataclass(frozen=True)
class Pod:
    """``admin`` is its proxy's admin socket, relative to the mesh's run folder; ``ports`` which service answers where on this machine."""

    name: str
    namespace: str
    workload: str
    labels: Labels
    principal: str
    router: bool
    admin: str
    ports: Labels

    @property
    def peer(self) -> str:
        """How its certificate names it."""
        return f"{self.name}.{self.namespace}"

    def described(self, side: str) -> Labels:
        """Istio's labels for one side, "source" or "destination", of a request."""
        app = self.labels.get("app", UNKNOWN)
        return {
            f"{side}_app": app,
            f"{side}_canonical_revision": self.labels.get("service.istio.io/canonical-revision", "latest"),
            f"{side}_canonical_service": self.labels.get("service.istio.io/canonical-name", self.workload),
            f"{side}_cluster": _CLUSTER,
            f"{side}_version": self.labels.get("version", UNKNOWN),
            f"{side}_workload": self.workload,
            f"{side}_workload_namespace": self.namespace,
        }


@dataclass(frozen=True)
class Pods:
    """Those of the mesh, however a proxy names them."""

    pods: Sequence[Pod]

    @classmethod
    def read(cls, path: Path) -> Pods:
        """None while the file is not there. Raises ValueError when it is damaged."""
        try:
            return cls([Pod(**each) for each in json.loads(path.read_text())])
        except FileNotFoundError:
            return cls([])
        except TypeError as error:
            raise ValueError(f"{path}: {error}") from None

    @cached_property
    def by_peer(self) -> Mapping[str, Pod]:
        return {pod.peer: pod for pod in self.pods}

    @cached_property
    def by_port(self) -> Mapping[str, Pod]:
        """By the port of 127.0.0.1 on which others reach it."""
        return {port: pod for pod in self.pods for port in pod.ports}


def translated(found: Sample, reporter: Pod, pods: Pods) -> Sample:
    """A sample of ``reporter``'s whose name begins with PREFIX, as Istio has it."""
    return Sample(found.name.removeprefix("envoy_"), labelled(found.labels, reporter, pods), found.value)


def labelled(found: Labels, reporter: Pod, pods: Pods) -> Labels:
    """Istio's labels of a sample of ``reporter``'s, but for ``le``, which is left as it is."""
    incoming = found.get("reporter") == "destination"
    peer = _peer(found, pods, incoming)
    source, destination = (peer, reporter) if incoming else (reporter, peer)
    host = _host(found, reporter)
    name, namespace = _service(host, destination)
    return {
        **({"le": found["le"]} if "le" in found else {}),
        "reporter": "destination" if incoming else "source",
        **(source.described("source") if source else _nobody("source")),
        **(destination.described("destination") if destination else _nobody("destination")),
        "source_principal": _principal(found, reporter, incoming, of_source=True),
        "destination_principal": _principal(found, reporter, incoming, of_source=False),
        "destination_service": host or UNKNOWN,
        "destination_service_name": name,
        "destination_service_namespace": namespace,
        **_answered(found),
        "response_flags": found.get("response_flags", "-"),
        "connection_security_policy": _security(found, incoming),
    }


def _answered(found: Labels) -> Labels:
    """A connection has no answer."""
    if "response_code" not in found:
        return {"request_protocol": "tcp"}
    status = found.get("grpc_response_status", "")
    return {
        "request_protocol": "grpc" if status else "http",
        "response_code": found["response_code"],
        "grpc_response_status": status,
    }


def _peer(found: Labels, pods: Pods, incoming: bool) -> Pod | None:
    told = found.get("peer", "")
    return pods.by_peer.get(told) if incoming else pods.by_port.get(told.rpartition(":")[2])


def _host(found: Labels, reporter: Pod) -> str:
    """Of the service that was called: what the route said, else whose port it was."""
    cluster = found.get("cluster", "").split("|")
    if cluster[0] == _OUTBOUND and len(cluster) == _CLUSTER_PARTS:
        return cluster[3]
    return reporter.ports.get(found.get("port", ""), "")


def _service(host: str, destination: Pod | None) -> tuple[str, str]:
    """Its name and namespace."""
    name, _, rest = host.partition(".")
    namespace, separator, _ = rest.partition(".svc.")
    if separator:
        return name, namespace
    return host or UNKNOWN, destination.namespace if destination else UNKNOWN


def _principal(found: Labels, reporter: Pod, incoming: bool, of_source: bool) -> str:
    """As the peers' certificates said; a proxy's own only where there was a peer to show it to."""
    told = found.get("peer_principal", "")
    if not told:
        return UNKNOWN
    return told if of_source is incoming else reporter.principal


def _security(found: Labels, incoming: bool) -> str:
    """Istio lets only the called side say so: the other cannot know what becomes of a request behind a gateway."""
    if not incoming:
        return UNKNOWN
    return "mutual_tls" if found.get("peer_principal") else "none"


def _nobody(side: str) -> Labels:
    names = (
        "app",
        "canonical_revision",
        "canonical_service",
        "cluster",
        "version",
        "workload",
        "workload_namespace",
    )
    return {f"{side}_{name}": UNKNOWN for name in names}
