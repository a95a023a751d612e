"""Documents -> typed objects. `parse` reads files and rendered charts, `from_json` what came over the API; link takes both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Generic, TypeVar

from mesh.resources import kinds
from mesh.resources import kubernetes as kube
from mesh.resources.decode import Decoder
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.problem import Place, Problem, Severity
from mesh.resources.tree import Document, Path, documents

SpecT = TypeVar("SpecT", covariant=True)

_CLUSTER_WIDE: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "IngressClass",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
    }
)
_MOST_NESTED_LISTS: Final = 10


@dataclass(frozen=True)
class Object(Generic[SpecT]):
    """One Kubernetes object. ``raw`` is all of it as plain data; ``spec`` the typed part that the mesh reads.

    ``broken``: parts of the spec could not be read or are not translated; the Problems say which. Such a spec is not to be trusted.
    """

    api_version: str
    kind: str
    metadata: kube.Metadata
    spec: SpecT
    document: Document = field(repr=False, compare=False)
    status: kube.PodStatus = field(default_factory=kube.PodStatus)
    broken: bool = False

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
        self, path: Path, code: str, message: str, fix: str = "", severity: Severity = Severity.ERROR
    ) -> Problem:
        return Problem(self.document.place(path), code, severity, message, fix)


def parse(text: str, file: str, namespace: str = "default") -> tuple[list[Object[Any]], list[Problem]]:
    """Every object of a YAML text, in its order. Raises nothing: what is wrong comes as Problems.

    An object that names no namespace is in ``namespace``: for a rendered chart, its release's.
    """
    found, problems = documents(text, file)
    return [made for document in found for made in _objects(document, namespace, problems)], problems


def from_json(
    data: Mapping[str, Any], origin: str, namespace: str = "default"
) -> tuple[Object[Any] | None, list[Problem]]:
    """One object that came over the API; ``origin`` stands where a file's name would."""
    problems: list[Problem] = []
    made = list(_objects(Document(dict(data), origin), namespace, problems))
    return (made[0] if made else None), problems


def _objects(
    document: Document, namespace: str, problems: list[Problem], depth: int = 0
) -> Iterator[Object[Any]]:
    data = document.data
    if data is None:
        return
    kind = data.get("kind") if isinstance(data, dict) else None
    if not isinstance(kind, str) or not kind:
        text = "this is not a Kubernetes object: it has no kind"
        problems.append(_error(document, (), "MW0003", text, "give apiVersion, kind and metadata"))
    elif kind == "List" and isinstance(data.get("items"), list) and depth < _MOST_NESTED_LISTS:
        for i in range(len(data["items"])):
            yield from _objects(document.item(("items", i)), namespace, problems, depth + 1)
    elif kind == "MeshConfig":
        yield _mesh_config(document, problems)
    elif made := _object(document, kind, namespace, problems):
        yield made


def _object(document: Document, kind: str, namespace: str, problems: list[Problem]) -> Object[Any] | None:
    version = document.data.get("apiVersion")
    if not isinstance(version, str) or not version:
        text = f"this {kind} has no apiVersion"
        problems.append(_error(document, ("apiVersion",), "MW0003", text, "as in apiVersion: apps/v1"))
        return None
    known, remark = kinds.find(version, kind)
    found: list[Problem] = []
    if remark:
        found.append(
            Problem(document.place(("kind",)), remark.code, remark.severity, remark.text, remark.fix)
        )
    metadata = _metadata(document, kind, namespace, found) if known else None
    made = _typed(document, version, kind, known, metadata, found) if known and metadata else None
    problems += found
    return made


def _typed(
    document: Document,
    version: str,
    kind: str,
    known: kinds.Kind,
    metadata: kube.Metadata,
    found: list[Problem],
) -> Object[Any]:
    raw = known.spec is kube.Raw
    spec = kube.Raw() if raw else _part(document, known.spec, "spec", found, not known.closed)
    status = _part(document, kube.PodStatus, "status", [], True) if kind == "Pod" else kube.PodStatus()
    broken = any(problem.severity is Severity.ERROR for problem in found)
    return Object(version, kind, metadata, spec, document, status, broken)


def _metadata(document: Document, kind: str, namespace: str, found: list[Problem]) -> kube.Metadata | None:
    wrong: list[Problem] = []
    metadata: kube.Metadata = _part(document, kube.Metadata, "metadata", wrong, True)
    found += wrong
    if not metadata.name and not wrong:
        text = f"this {kind} has no name"
        found.append(_error(document, ("metadata", "name"), "MW0003", text, "give metadata.name"))
    if kind in _CLUSTER_WIDE:
        return replace(metadata, namespace="") if metadata.name else None
    return replace(metadata, namespace=metadata.namespace or namespace) if metadata.name else None


def _mesh_config(document: Document, problems: list[Problem]) -> Object[Any]:
    data = {k: v for k, v in document.data.items() if k not in ("kind", "apiVersion", "metadata")}
    found: list[Problem] = []
    spec = Decoder(document, found).decode(MeshConfig, data, ())
    problems += found
    return Object("", "MeshConfig", kube.Metadata("mesh"), spec, document, broken=bool(found))


def _part(document: Document, kind: type[Any], name: str, found: list[Problem], open_: bool) -> Any:
    return Decoder(document, found, open_).decode(kind, document.data.get(name), (name,))


def _error(document: Document, path: Path, code: str, text: str, fix: str) -> Problem:
    return Problem(document.place(path), code, Severity.ERROR, text, fix)
