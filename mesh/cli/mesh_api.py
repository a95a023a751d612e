"""A running mesh as the commands see it: over its Kubernetes API, by the kubeconfig that it has written."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Sequence
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from mesh.link.hosts import CLUSTER_DOMAIN

Object = dict[str, Any]
PORTS = "meshwright.dev/ports"
TIMEOUT_SECONDS = 10.0


class Api:
    """Reads pods and services. Raises ClickException when there is no mesh to ask.

    By plain HTTPS: the official client takes half a second to import, most of what such a command takes.
    """

    def __init__(self, kubeconfig: Path) -> None:
        if not kubeconfig.is_file():
            raise click.ClickException("no mesh is up here: `mesh up` starts it")
        self._config = json.loads(kubeconfig.read_text())

    @cached_property
    def _connection(self) -> http.client.HTTPSConnection:
        cluster = self._config["clusters"][0]["cluster"]
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        where = urlsplit(cluster["server"])
        context = ssl.create_default_context(cadata=authority)
        return http.client.HTTPSConnection(
            str(where.hostname), where.port, timeout=TIMEOUT_SECONDS, context=context
        )

    def _items(self, resource: str) -> Sequence[Object]:
        """All objects of a resource of the core group, of every namespace."""
        items: Sequence[Object] = self.get(f"/api/v1/{resource}")["items"]
        return items

    def get(self, path: str) -> Object:
        """What the API answers; an empty list for a resource that it does not have."""
        token = self._config["users"][0]["user"]["token"]
        try:
            self._connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = self._connection.getresponse()
            body = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            text = "the mesh does not answer; `mesh up` starts it again, and takes over what still runs"
            raise click.ClickException(f"{text} ({error.__class__.__name__})") from None
        if answer.status == HTTPStatus.NOT_FOUND:
            return {"items": []}
        if answer.status != HTTPStatus.OK:
            raise click.ClickException(f"the mesh answers {answer.status}: {body.get('message', '')}")
        found: Object = body
        return found

    @cached_property
    def pods(self) -> Sequence[Object]:
        found = self._items("pods")
        return [p for p in found if not p["metadata"].get("deletionTimestamp")]

    @cached_property
    def _services(self) -> Sequence[Object]:
        return self._items("services")

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
        elif (port.get("appProtocol") or port["name"]).startswith("tcp"):
            return None  # no gateway of a chart of requests lets bytes in
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
