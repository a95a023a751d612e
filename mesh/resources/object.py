"""Documents -> typed objects. `parse` reads files and rendered charts, `from_json` what came over the API; link takes both."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from mesh.resources import kubernetes as kube
from mesh.resources.decode import Decoder
from mesh.resources.istio import (
    destinationrule,
    envoyfilter,
    meshconfig,
    network,
    requestauthentication,
    security,
    serviceentry,
    telemetry,
    virtualservice,
)
from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.support import KINDS_NOT_TRANSLATED
from mesh.resources.tree import Document, Path, documents

SpecT = TypeVar("SpecT", covariant=True)

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
_KUBERNETES: Final[Mapping[str, type[Any]]] = {
    "Service": kube.ServiceSpec,
    "Deployment": kube.DeploymentSpec,
    "Pod": kube.PodSpec,
}


@dataclass(frozen=True)
class Object(Generic[SpecT]):
    """One Kubernetes object. ``raw`` is all of it as plain data; ``spec`` the typed part that the mesh reads."""

    api_version: str
    kind: str
    metadata: kube.Metadata
    spec: SpecT
    document: Document = field(repr=False, compare=False)
    status: kube.PodStatus = field(default_factory=kube.PodStatus)

    @property
    def raw(self) -> dict[str, Any]:
        return dict(self.document.data)

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.kind, self.metadata.namespace, self.metadata.name)

    def place(self, *path: str | int) -> Place:
        """Where a field was written, as in ``place("spec", "http", 0)``."""
        return self.document.place(path)

    def problem(
        self, path: Path, code: str, message: str, fix: str, severity: Severity = Severity.ERROR
    ) -> Problem:
        return Problem(self.document.place(path), code, severity, message, fix)


def parse(text: str, file: str) -> tuple[list[Object[Any]], list[Problem]]:
    """Every object of a YAML text, in its order. Raises nothing: what is wrong comes as Problems."""
    found, problems = documents(text, file)
    objects = [made for document in found for made in _objects(document, problems)]
    return objects, problems


def from_json(data: Mapping[str, Any], origin: str) -> tuple[Object[Any] | None, list[Problem]]:
    """One object that came over the API; ``origin`` stands where a file's name would."""
    problems: list[Problem] = []
    made = list(_objects(Document(dict(data), origin, {}), problems))
    return (made[0] if made else None), problems


def _objects(document: Document, problems: list[Problem]) -> Iterator[Object[Any]]:
    data = document.data
    if data is None:
        return
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        text = "this is not a Kubernetes object: it has no kind"
        problems.append(
            Problem(document.place(), "MW0003", Severity.ERROR, text, "give apiVersion, kind and metadata")
        )
        return
    if data["kind"] == "List":
        yield from _items(document, problems)
        return
    made = _object(document, problems)
    if made:
        yield made


def _items(document: Document, problems: list[Problem]) -> Iterator[Object[Any]]:
    items = document.data.get("items")
    for i, item in enumerate(items if isinstance(items, list) else ()):
        prefix = ("items", i)
        lines = {path[2:]: line for path, line in document.lines.items() if path[:2] == prefix}
        yield from _objects(Document(item, document.file, lines), problems)


def _object(document: Document, problems: list[Problem]) -> Object[Any] | None:
    data, kind = document.data, document.data["kind"]
    version = str(data.get("apiVersion", ""))
    if kind == "MeshConfig":
        return _mesh_config(document, problems)
    spec_type = _spec_type(document, kind, version, problems)
    if spec_type is None:
        return None
    metadata = _metadata(document, problems)
    if metadata is None:
        return None
    istio = version.partition("/")[0].endswith("istio.io")
    spec = _decoded(Decoder(document, problems, open=not istio), spec_type, data.get("spec"), ("spec",))
    quiet = Decoder(document, [], open=True)
    status = _decoded(quiet, kube.PodStatus, data.get("status") if kind == "Pod" else None, ("status",))
    return Object(version, kind, metadata, spec, document, status)


def _metadata(document: Document, problems: list[Problem]) -> kube.Metadata | None:
    before = len(problems)
    metadata = _decoded(
        Decoder(document, problems, open=True), kube.Metadata, document.data.get("metadata"), ("metadata",)
    )
    if not metadata.name and len(problems) == before:
        text = f"this {document.data['kind']} has no name"
        problems.append(
            Problem(document.place(("metadata",)), "MW0003", Severity.ERROR, text, "give metadata.name")
        )
    return metadata if metadata.name else None


def _mesh_config(document: Document, problems: list[Problem]) -> Object[Any]:
    data = {k: v for k, v in document.data.items() if k not in ("kind", "apiVersion", "metadata")}
    spec = _decoded(Decoder(document, problems), meshconfig.MeshConfig, data, ())
    return Object("", "MeshConfig", kube.Metadata("mesh"), spec, document)


def _decoded(decoder: Decoder, kind: type[Any], data: Any, path: Path) -> Any:
    if data is not None and not isinstance(data, dict):
        decoder.report(path, "MW0103", f"{'.'.join(map(str, path))}: expected a mapping")
        data = None
    return decoder.decode(kind, data, path)


def _spec_type(document: Document, kind: str, version: str, problems: list[Problem]) -> type[Any] | None:
    group, _, api = version.rpartition("/")
    if not group.endswith("istio.io"):
        return _KUBERNETES.get(kind, kube.Raw)
    place = document.place(("kind",))
    if kind in _ISTIO and _ISTIO[kind][0] == group and api in _VERSIONS:
        if kind in KINDS_NOT_TRANSLATED:
            text = f"{kind} is part of Istio's API, but meshwright does not translate it"
            problems.append(
                Problem(
                    place,
                    "MW0102",
                    Severity.ERROR,
                    text,
                    "remove it; docs/problems.md lists what is left out",
                )
            )
        return _ISTIO[kind][1]
    close = difflib.get_close_matches(kind, _ISTIO, n=1)
    fix = f"did you mean {close[0]} of {_ISTIO[close[0]][0]}/v1?" if close else "check apiVersion and kind"
    problems.append(Problem(place, "MW0104", Severity.ERROR, f"Istio has no kind {kind} in {version}", fix))
    return None
