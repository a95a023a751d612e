"""Who may see what: exportTo of services and VirtualServices, and the mesh's defaults for those that say nothing.

Source: pilot/pkg/model/push_context.go, initServiceRegistry and initVirtualServices.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesh.model.mesh import Config, Mesh
from mesh.model.service import Service
from mesh.resources.istio.virtualservice import VirtualServiceSpec

VirtualService = Config[VirtualServiceSpec]
MESH_GATEWAY = "mesh"


def services_for(services: Iterable[Service], namespace: str, defaults: tuple[str, ...]) -> list[Service]:
    """Those that ``namespace`` may call: first the ones given to it by name, then the public ones."""
    public, given = [], []
    for service in services:
        exported = service.export_to or defaults
        if "*" in exported:
            public.append(service)
        elif _given(exported, service.namespace, namespace):
            given.append(service)
    return given + public


def virtual_services_for(mesh: Mesh, namespace: str, gateway: str = MESH_GATEWAY) -> list[VirtualService]:
    """Those that hold for a gateway's proxies in ``namespace``: its private ones, then those given to it, then public ones."""
    private: list[VirtualService] = []
    given: list[VirtualService] = []
    public: list[VirtualService] = []
    for rule in mesh.virtual_services:
        exported = rule.spec.export_to or mesh.config.default_virtual_service_export_to
        if gateway not in (rule.spec.gateways or (MESH_GATEWAY,)):
            continue
        if "*" in exported:
            public.append(rule)
        elif _given(exported, rule.namespace, namespace):
            (private if rule.namespace == namespace else given).append(rule)
    return private + given + public


def _given(exported: Iterable[str], owner: str, namespace: str) -> bool:
    names = set(exported)
    return "~" not in names and (namespace in names or ("." in names and owner == namespace))
