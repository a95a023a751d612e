"""A running mesh as the commands see it: over the Kubernetes API of a kubeconfig, by the official client."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from mesh.link.hosts import CLUSTER_DOMAIN

Object = dict[str, Any]
PORTS = "meshwright.dev/ports"


class Api:
    """Reads pods, deployments and services. Raises ClickException when there is no mesh to ask."""

    def __init__(self, kubeconfig: Path) -> None:
        if not kubeconfig.is_file():
            raise click.ClickException("no mesh is up here: `mesh up` starts it")
        self._kubeconfig = kubeconfig

    @cached_property
    def _core(self) -> Any:
        from kubernetes import client, config

        load: Any = config.new_client_from_config
        return client.CoreV1Api(load(config_file=str(self._kubeconfig)))

    def _items(self, read: Any) -> Sequence[Object]:
        from urllib3.exceptions import HTTPError

        try:
            answer = read(_preload_content=False)
        except HTTPError as error:
            text = "the mesh does not answer; `mesh up` starts it again, and takes over what still runs"
            raise click.ClickException(f"{text} ({error.__class__.__name__})") from None
        items: Sequence[Object] = json.loads(answer.data)["items"]
        return items

    @cached_property
    def pods(self) -> Sequence[Object]:
        found = self._items(self._core.list_pod_for_all_namespaces)
        return [p for p in found if not p["metadata"].get("deletionTimestamp")]

    @cached_property
    def _services(self) -> Sequence[Object]:
        return self._items(self._core.list_service_for_all_namespaces)

    @cached_property
    def ingress(self) -> Object | None:
        """The pod of a gateway, by which outside callers come in."""
        found = (p for p in self.pods if is_gateway(p) and ready(p))
        return next(found, None)

    def services(self) -> list[Object]:
        """Every service with the addresses by which a client on this machine calls it."""
        return [self._service(s) for s in self._services]

    def _service(self, service: Object) -> Object:
        metadata = service["metadata"]
        ports = service["spec"].get("ports") or ()
        host = f"{metadata['name']}.{metadata['namespace']}.svc.{CLUSTER_DOMAIN}"
        return {
            "name": metadata["name"],
            "namespace": metadata["namespace"],
            "host": host,
            "ports": {p["name"]: p["port"] for p in ports},
            "addresses": {p["name"]: at for p in ports if (at := self._address(service, host, p))},
            "workloads": sorted({owner(p) for p in self.selected(service)}),
        }

    def _address(self, service: Object, host: str, port: Object) -> str | None:
        if self.ingress is None:
            return None
        given = allocated(self.ingress)
        if any(p is self.ingress for p in self.selected(service)):
            at = given["gateway"].get(str(port.get("targetPort", port["port"])))
        else:
            at = given["outbound"].get(f"{host}:{port['port']}")
        return f"127.0.0.1:{at}" if at else None

    def selected(self, service: Object) -> list[Object]:
        """The pods behind a service."""
        selector = service["spec"].get("selector") or {}
        namespace = service["metadata"]["namespace"]
        return [
            p
            for p in self.pods
            if selector
            and p["metadata"]["namespace"] == namespace
            and selector.items() <= p["metadata"].get("labels", {}).items()
        ]

    def from_workload(self, workload: str) -> Object:
        """A ready pod of a workload, by the name of its Deployment, its pod or its app."""
        names = [p for p in self.pods if workload in (owner(p), p["metadata"]["name"])]
        names = names or [p for p in self.pods if p["metadata"].get("labels", {}).get("app") == workload]
        if not names:
            known = ", ".join(sorted({owner(p) for p in self.pods}))
            raise click.ClickException(f"there is no workload {workload}; there are: {known}")
        return next((p for p in names if ready(p)), names[0])


def allocated(pod: Object) -> Object:
    """The pod's loopback ports."""
    text = (pod["metadata"].get("annotations") or {}).get(PORTS)
    empty: Object = {"inbound": {}, "application": {}, "outbound": {}, "gateway": {}}
    return json.loads(text) if text else empty


def owner(pod: Object) -> str:
    """The Deployment that a pod belongs to, or the pod itself."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return str(owners[0]["name"] if owners else pod["metadata"]["name"])


def is_gateway(pod: Object) -> bool:
    return (pod["metadata"].get("annotations") or {}).get("inject.istio.io/templates") == "gateway"


def ready(pod: Object) -> bool:
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
