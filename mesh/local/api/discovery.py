"""Discovery: which kinds are served, in the form that kubectl asks for and in that of older clients.

Formats: apidiscovery.k8s.io/v2 APIGroupDiscoveryList; meta/v1 APIVersions, APIGroupList, APIGroup,
APIResourceList.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from mesh.local.store import KINDS, Kind, Object

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_VERBS_OF = {
    "status": ["get", "patch", "update"],
    "scale": ["get", "patch", "update"],
    "log": ["get"],
    "portforward": ["create", "get"],
}


def wants_aggregated(accept: str) -> bool:
    return any(
        "apidiscovery.k8s.io" in kind and "v=v2;" in f"{kind};" for kind in accept.replace(" ", "").split(",")
    )


@cache
def groups() -> dict[str, tuple[str, ...]]:
    """Each group but the core one, with its versions, preferred first."""
    found: dict[str, dict[str, None]] = {}
    for kind in KINDS:
        if kind.group:
            found.setdefault(kind.group, {}).update(dict.fromkeys(kind.versions))
    return {group: tuple(versions) for group, versions in found.items()}


def aggregated(core: bool) -> Object:
    served = {"": ("v1",)} if core else groups()
    items = [
        {
            "metadata": {"name": group} if group else {},
            "versions": [
                {
                    "version": version,
                    "freshness": "Current",
                    "resources": [_aggregated_resource(kind, version) for kind in _kinds(group, version)],
                }
                for version in versions
            ],
        }
        for group, versions in served.items()
    ]
    return {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }


def core_versions() -> Object:
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}


def group_list() -> Object:
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [group_object(group) for group in groups()]}


def group_object(group: str) -> Object:
    versions = [{"groupVersion": f"{group}/{version}", "version": version} for version in groups()[group]]
    return {
        "kind": "APIGroup",
        "apiVersion": "v1",
        "name": group,
        "versions": versions,
        "preferredVersion": versions[0],
    }


def resource_list(group: str, version: str) -> Object:
    resources = [entry for kind in _kinds(group, version) for entry in _resources(kind)]
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def subresources(kind: Kind) -> tuple[str, ...]:
    own = ("log", "portforward") if kind.name == "Pod" else ()
    return (*(("status",) if kind.status else ()), *(("scale",) if kind.scale else ()), *own)


def _kinds(group: str, version: str) -> list[Kind]:
    return [kind for kind in KINDS if kind.group == group and version in kind.versions]


def _aggregated_resource(kind: Kind, version: str) -> dict[str, Any]:
    names = {"shortNames": list(kind.short), "categories": list(kind.categories)}
    return {
        "resource": kind.plural,
        "responseKind": {"group": kind.group, "version": version, "kind": kind.name},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.name.lower(),
        "verbs": VERBS,
        **{name: value for name, value in names.items() if value},
        "subresources": [
            {"subresource": name, "responseKind": _answers(kind, version, name), "verbs": _VERBS_OF[name]}
            for name in subresources(kind)
        ],
    }


def _resources(kind: Kind) -> list[dict[str, Any]]:
    own = {
        "name": kind.plural,
        "singularName": kind.name.lower(),
        "namespaced": kind.namespaced,
        "kind": kind.name,
        "verbs": VERBS,
        "shortNames": list(kind.short),
        "categories": list(kind.categories),
    }
    inner = [
        {
            "name": f"{kind.plural}/{name}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "verbs": _VERBS_OF[name],
            **_answers(kind, "", name),
        }
        for name in subresources(kind)
    ]
    return [own, *inner]


def _answers(kind: Kind, version: str, subresource: str) -> dict[str, str]:
    if subresource == "scale":
        return {"group": "autoscaling", "version": "v1", "kind": "Scale"}
    return {"group": kind.group, "version": version, "kind": kind.name} if version else {"kind": kind.name}
