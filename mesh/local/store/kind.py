"""The kinds that the local mesh keeps and serves: adding a kind is adding a line to ``KINDS``.

Used by the store (how an object is keyed and prepared) and by the API (discovery, paths, short names).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

ISTIO_VERSIONS = ("v1", "v1beta1", "v1alpha3")
ISTIO = ("istio-io",)
INVOLVED = tuple(
    f"involvedObject.{name}" for name in ("kind", "apiVersion", "namespace", "name", "uid", "fieldPath")
)


@dataclass(frozen=True)
class Kind:
    """A kind of object.

    ``versions`` begins with the one that is stored; the others are served as aliases of it.

    ``status``: has a status subresource (its status is only written through it) and a generation that counts
    changes of the rest. ``fields``: what field selectors may name besides metadata.name and
    metadata.namespace.
    """

    group: str
    versions: tuple[str, ...]
    name: str
    plural: str
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    namespaced: bool = True
    status: bool = True
    scale: bool = False
    fields: tuple[str, ...] = ()

    @cached_property
    def api_version(self) -> str:
        """The stored ``group/version``."""
        return self.in_version(self.versions[0])

    @cached_property
    def resource(self) -> str:
        """As errors name it: ``virtualservices.networking.istio.io``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def is_istio(self) -> bool:
        """Whether a cluster keeps it as a custom resource, which takes no strategic merge patch."""
        return self.group.endswith("istio.io")

    def in_version(self, version: str) -> str:
        return f"{self.group}/{version}" if self.group else version


def _istio(group: str, versions: tuple[str, ...], name: str, plural: str, *short: str) -> Kind:
    family = f"{group.split('.')[0]}-istio-io"
    return Kind(f"{group}.istio.io", versions, name, plural, short, (*ISTIO, family))


_ALL = ("all",)
KINDS: tuple[Kind, ...] = (
    Kind("", ("v1",), "Namespace", "namespaces", ("ns",), (), False, fields=("status.phase",)),
    Kind(
        "", ("v1",), "Pod", "pods", ("po",), _ALL,
        fields=("spec.nodeName", "spec.serviceAccountName", "status.phase", "status.podIP"),
    ),
    Kind("", ("v1",), "Service", "services", ("svc",), _ALL, fields=("spec.clusterIP", "spec.type")),
    Kind("", ("v1",), "ServiceAccount", "serviceaccounts", ("sa",), status=False),
    Kind("", ("v1",), "ConfigMap", "configmaps", ("cm",), status=False),
    Kind("", ("v1",), "Secret", "secrets", status=False, fields=("type",)),
    Kind("", ("v1",), "Event", "events", ("ev",), status=False, fields=("type", "reason", *INVOLVED)),
    Kind("apps", ("v1",), "Deployment", "deployments", ("deploy",), _ALL, scale=True),
    Kind("apps", ("v1",), "ReplicaSet", "replicasets", ("rs",), _ALL, scale=True),
    Kind("batch", ("v1",), "Job", "jobs", (), _ALL, fields=("status.successful",)),
    Kind("discovery.k8s.io", ("v1",), "EndpointSlice", "endpointslices", status=False),
    Kind("policy", ("v1",), "PodDisruptionBudget", "poddisruptionbudgets", ("pdb",)),
    Kind("networking.k8s.io", ("v1",), "NetworkPolicy", "networkpolicies", ("netpol",)),
    _istio("networking", ISTIO_VERSIONS, "VirtualService", "virtualservices", "vs"),
    _istio("networking", ISTIO_VERSIONS, "DestinationRule", "destinationrules", "dr"),
    _istio("networking", ISTIO_VERSIONS, "Gateway", "gateways", "gw"),
    _istio("networking", ISTIO_VERSIONS, "ServiceEntry", "serviceentries", "se"),
    _istio("networking", ISTIO_VERSIONS, "Sidecar", "sidecars"),
    _istio("networking", ISTIO_VERSIONS, "WorkloadEntry", "workloadentries", "we"),
    _istio("networking", ISTIO_VERSIONS, "WorkloadGroup", "workloadgroups", "wg"),
    _istio("networking", ("v1alpha3",), "EnvoyFilter", "envoyfilters"),
    _istio("networking", ("v1beta1",), "ProxyConfig", "proxyconfigs"),
    _istio("security", ("v1", "v1beta1"), "AuthorizationPolicy", "authorizationpolicies", "ap"),
    _istio("security", ("v1", "v1beta1"), "PeerAuthentication", "peerauthentications", "pa"),
    _istio("security", ("v1", "v1beta1"), "RequestAuthentication", "requestauthentications", "ra"),
    _istio("telemetry", ("v1", "v1alpha1"), "Telemetry", "telemetries", "telemetry"),
)  # fmt: skip

_BY_NAME = {(kind.group, kind.name): kind for kind in KINDS}
_BY_PLURAL = {(kind.group, kind.plural): kind for kind in KINDS}


def by_plural(group: str, plural: str) -> Kind | None:
    return _BY_PLURAL.get((group, plural))


def by_name(group: str, name: str) -> Kind | None:
    """By the kind's name, ``("apps", "Deployment")``."""
    return _BY_NAME.get((group, name))


def kind(name: str) -> Kind:
    """The kind of that name, for code that knows which it wants: no two kinds here share a name."""
    return next(known for known in KINDS if known.name == name)
