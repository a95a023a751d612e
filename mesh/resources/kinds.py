"""Which kinds there are, and the type of each one's spec. ``object`` asks this of every document."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mesh.resources import kubernetes as kube
from mesh.resources.istio import (
    destinationrule,
    envoyfilter,
    network,
    requestauthentication,
    security,
    serviceentry,
    telemetry,
    virtualservice,
)
from mesh.resources.problem import Severity
from mesh.resources.support import KINDS_NOT_TRANSLATED

_NETWORKING, _SECURITY = "networking.istio.io", "security.istio.io"
_ISTIO: Final[Mapping[str, tuple[str, type[Any]]]] = {
    "VirtualService": (_NETWORKING, virtualservice.VirtualServiceSpec),
    "DestinationRule": (_NETWORKING, destinationrule.DestinationRuleSpec),
    "Gateway": (_NETWORKING, network.GatewaySpec),
    "Sidecar": (_NETWORKING, network.SidecarSpec),
    "ServiceEntry": (_NETWORKING, serviceentry.ServiceEntrySpec),
    "WorkloadEntry": (_NETWORKING, serviceentry.WorkloadEntrySpec),
    "EnvoyFilter": (_NETWORKING, envoyfilter.EnvoyFilterSpec),
    "WorkloadGroup": (_NETWORKING, kube.Raw),
    "ProxyConfig": (_NETWORKING, kube.Raw),
    "PeerAuthentication": (_SECURITY, security.PeerAuthenticationSpec),
    "AuthorizationPolicy": (_SECURITY, security.AuthorizationPolicySpec),
    "RequestAuthentication": (_SECURITY, requestauthentication.RequestAuthenticationSpec),
    "Telemetry": ("telemetry.istio.io", telemetry.TelemetrySpec),
    "WasmPlugin": ("extensions.istio.io", kube.Raw),
    "TrafficExtension": ("extensions.istio.io", kube.Raw),
}
_VERSIONS: Final = frozenset({"v1", "v1beta1", "v1alpha3", "v1alpha1"})
_READ: Final[Mapping[tuple[str, str], type[Any]]] = {
    ("", "Service"): kube.ServiceSpec,
    ("", "Pod"): kube.PodSpec,
    ("apps", "Deployment"): kube.DeploymentSpec,
}
#: Kubernetes' own kinds that charts hold, by API group. They are accepted and kept; the mesh reads only those above.
_KUBERNETES: Final[Mapping[str, frozenset[str]]] = {
    "": frozenset(
        [
            "ConfigMap",
            "Endpoints",
            "Event",
            "LimitRange",
            "Namespace",
            "Node",
            "PersistentVolume",
            "PersistentVolumeClaim",
            "Pod",
            "PodTemplate",
            "ReplicationController",
            "ResourceQuota",
            "Secret",
            "Service",
            "ServiceAccount",
        ]
    ),
    "apps": frozenset(["ControllerRevision", "DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"]),
    "autoscaling": frozenset({"HorizontalPodAutoscaler"}),
    "batch": frozenset({"CronJob", "Job"}),
    "discovery.k8s.io": frozenset({"EndpointSlice"}),
    "networking.k8s.io": frozenset({"Ingress", "IngressClass", "NetworkPolicy"}),
    "policy": frozenset({"PodDisruptionBudget"}),
    "rbac.authorization.k8s.io": frozenset({"ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}),
    "scheduling.k8s.io": frozenset({"PriorityClass"}),
}
_MAKE_PODS: Final = frozenset({"CronJob", "DaemonSet", "ReplicaSet", "ReplicationController", "StatefulSet"})
_GATEWAY_API: Final = "gateway.networking.k8s.io"


@dataclass(frozen=True)
class Kind:
    """What is known of a kind. ``closed``: its spec may have no other fields than its type's."""

    spec: type[Any] = kube.Raw
    closed: bool = False


@dataclass(frozen=True)
class Remark:
    """What is wrong with a kind."""

    code: str
    severity: Severity
    text: str
    fix: str


def find(version: str, kind: str) -> tuple[Kind | None, Remark | None]:
    """The kind of an apiVersion, and what there is to say about it; a kind that nobody knows is None."""
    group, _, api = version.rpartition("/")
    if group.endswith("istio.io"):
        return _istio(group, api, version, kind)
    if group == _GATEWAY_API:
        return Kind(), _not_translated(
            f"{kind} of the Gateway API is read by Istio", "use Istio's Gateway and VirtualService"
        )
    if group not in _KUBERNETES:
        text = f"{kind} of {version or 'no apiVersion'} is unknown here; it is kept and does nothing"
        return Kind(), Remark("MW0004", Severity.WARNING, text, "check apiVersion and kind")
    if kind not in _KUBERNETES[group]:
        return None, _unknown(version, kind)
    if kind in _MAKE_PODS:
        text = f"a {kind} is kept, but its pods are not run on one machine"
        return Kind(), Remark("MW0105", Severity.WARNING, text, "use a Deployment for what callers need")
    return Kind(_READ.get((group, kind), kube.Raw)), None


def _istio(group: str, api: str, version: str, kind: str) -> tuple[Kind | None, Remark | None]:
    known_group, spec = _ISTIO.get(kind, ("", kube.Raw))
    if known_group != group or api not in _VERSIONS:
        return None, _unknown(version, kind)
    if kind in KINDS_NOT_TRANSLATED:
        remark = _not_translated(
            f"{kind} is part of Istio's API", "remove it; docs/problems.md lists what is left out"
        )
        return Kind(spec, closed=spec is not kube.Raw), remark
    return Kind(spec, closed=True), None


def _not_translated(text: str, fix: str) -> Remark:
    return Remark("MW0102", Severity.ERROR, f"{text}, but meshwright does not translate it", fix)


def _unknown(version: str, kind: str) -> Remark:
    return Remark("MW0104", Severity.ERROR, f"there is no kind {kind} in {version}", _nearest(kind))


def _nearest(kind: str) -> str:
    places = {name: f"{group}/v1" for name, (group, _) in _ISTIO.items()}
    for group, names in _KUBERNETES.items():
        places |= {name: f"{group}/v1".removeprefix("/") for name in names}
    close = difflib.get_close_matches(kind, places, n=1)
    return f"did you mean {close[0]} of {places[close[0]]}?" if close else "check apiVersion and kind"
