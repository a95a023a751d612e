"""The objects of a Kubernetes API that can change what a request meets -> typed ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from mesh.resources.object import Object, from_json, parse

Plain = Mapping[str, Any]
#: A path of the API -> the JSON it answers; a list without items where it has no such resource.
Get = Callable[[str], Plain]

_NETWORKING: Final = "networking.istio.io/v1"
_SECURITY: Final = "security.istio.io/v1"
_LISTED: Final = (
    ("v1", "Namespace", "namespaces"),
    ("v1", "Service", "services"),
    ("v1", "Pod", "pods"),
    (_NETWORKING, "VirtualService", "virtualservices"),
    (_NETWORKING, "DestinationRule", "destinationrules"),
    (_NETWORKING, "Gateway", "gateways"),
    (_NETWORKING, "ServiceEntry", "serviceentries"),
    (_NETWORKING, "WorkloadEntry", "workloadentries"),
    (_NETWORKING, "Sidecar", "sidecars"),
    ("networking.istio.io/v1alpha3", "EnvoyFilter", "envoyfilters"),
    (_SECURITY, "AuthorizationPolicy", "authorizationpolicies"),
    (_SECURITY, "PeerAuthentication", "peerauthentications"),
    (_SECURITY, "RequestAuthentication", "requestauthentications"),
    ("telemetry.istio.io/v1", "Telemetry", "telemetries"),
)
#: Where istiod keeps the MeshConfig.
_SETTINGS: Final = "/api/v1/namespaces/istio-system/configmaps?fieldSelector=metadata.name%3Distio"


def read(get: Get) -> tuple[list[Object[Any]], list[Plain]]:
    """(every object that can be read, the pods as they came)."""
    listed = {
        kind: [_whole(each, version, kind) for each in _items(get, version, plural)]
        for version, kind, plural in _LISTED
    }
    found = [
        made for items in listed.values() for each in items if (made := from_json(each, _origin(each))[0])
    ]
    return [*_settings(get), *found], listed["Pod"]


def _items(get: Get, version: str, plural: str) -> list[Plain]:
    path = f"/api/{version}/{plural}" if "/" not in version else f"/apis/{version}/{plural}"
    items: list[Plain] = list(get(path).get("items") or ())
    return items


def _whole(each: Plain, version: str, kind: str) -> Plain:
    """Items of a list say their kind only where it is a custom resource."""
    return {"apiVersion": version, "kind": kind, **each}


def _origin(each: Plain) -> str:
    return f"{each['kind']} {each['metadata'].get('namespace', '')}/{each['metadata'].get('name', '')}"


def _settings(get: Get) -> Iterator[Object[Any]]:
    for each in get(_SETTINGS).get("items") or ():
        text = (each.get("data") or {}).get("mesh", "")
        yield from parse(f"kind: MeshConfig\n{text}", "ConfigMap istio-system/istio")[0]
