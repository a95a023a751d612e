"""A cluster by its kubeconfig, through the official client: reads of its API, and the admin page of a pod's proxy by port-forward.

Used by mesh.cli for mesh.live. The client takes a third of a second to import and is an extra of the package, so it is loaded here alone.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

_SECONDS: Final = 15.0
_ADMIN: Final = 15000
_ABSENT: Final = 404
_LONG: Final = 120
#: Parts of a path that names no namespace.
_PLAIN: Final = 3
_SINGULAR: Final = {
    "namespaces": "namespace",
    "services": "service",
    "pods": "pod",
    "configmaps": "config_map",
}


class Unreachable(Exception):
    """A cluster, or a pod of it, that cannot be asked; the message says why."""


class Cluster:
    """``kubeconfig`` is kubectl's own by default, ``context`` its current one. Raises Unreachable."""

    def __init__(self, kubeconfig: Path | None, context: str | None) -> None:
        try:
            from kubernetes import client, config
        except ImportError:
            text = "the kubernetes client is not installed: pip install 'meshwright[cluster]'"
            raise Unreachable(text) from None
        connect: Any = config.new_client_from_config
        try:
            self._api = connect(config_file=str(kubeconfig) if kubeconfig else None, context=context)
        except (config.ConfigException, OSError) as error:
            raise Unreachable(f"the kubeconfig cannot be used: {error}") from None
        self._client = client

    def get(self, path: str) -> Mapping[str, Any]:
        """What the API answers; an empty list for a resource that it does not have."""
        from urllib3.exceptions import HTTPError

        where, _, query = path.partition("?")
        selector = dict(parse_qsl(query)).get("fieldSelector")
        chosen = {"field_selector": selector} if selector else {}
        try:
            answer = self._list(
                where.strip("/").split("/"), _preload_content=False, _request_timeout=_SECONDS, **chosen
            )
        except self._client.ApiException as error:
            if error.status == _ABSENT:
                return {"items": []}
            raise Unreachable(f"the cluster answers {error.status} to {path}: {error.reason}") from None
        except HTTPError as error:
            raise Unreachable(f"the cluster does not answer: {error}") from None
        found: Mapping[str, Any] = json.loads(answer.data)
        return found

    def _list(self, path: Sequence[str], **how: Any) -> Any:
        """By the methods that every version of the client has: ``apis/GROUP/VERSION/PLURAL`` and ``api/v1/[namespaces/NAME/]PLURAL``."""
        if path[0] == "apis":
            group, version, plural = path[1:]
            custom = self._client.CustomObjectsApi(self._api)
            return custom.list_cluster_custom_object(group, version, plural, **how)
        core, kind = self._client.CoreV1Api(self._api), _SINGULAR[path[-1]]
        if len(path) > _PLAIN:
            return getattr(core, f"list_namespaced_{kind}")(path[3], **how)
        whole = "" if kind == "namespace" else "_for_all_namespaces"
        return getattr(core, f"list_{kind}{whole}")(**how)

    def admin(self, namespace: str, pod: str, path: str) -> bytes:
        """An admin page of a pod's Envoy, which listens to its own pod only."""
        connection = http.client.HTTPConnection("127.0.0.1")
        try:
            connection.sock = self.dial(namespace, pod, _ADMIN)
            connection.request("GET", path)
            return connection.getresponse().read()
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(str(error)) from None
        finally:
            connection.close()

    def dial(self, namespace: str, pod: str, port: int) -> Any:
        """A socket that leads to a port of a pod."""
        from kubernetes.stream import portforward

        core = self._client.CoreV1Api(self._api)
        try:
            forwarded = portforward(
                core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port)
            )
        except self._client.ApiException as error:
            raise Unreachable(f"no port-forward to {namespace}/{pod}: {error.reason}") from None
        made = forwarded.socket(port)
        made.settimeout(_SECONDS)
        return made

    def run(self, namespace: str, pod: str, container: str, command: Sequence[str]) -> str:
        """What a command in a container prints. Raises Unreachable when it cannot be run, or fails."""
        from kubernetes.stream import stream

        core = self._client.CoreV1Api(self._api)
        wanted = {"container": container, "command": list(command), "stdout": True, "stderr": True}
        try:
            ran = stream(
                core.connect_get_namespaced_pod_exec, pod, namespace, _preload_content=False, **wanted
            )
            ran.run_forever(timeout=_LONG)
            printed, complaint = ran.read_stdout(), ran.read_stderr()
        except self._client.ApiException as error:
            raise Unreachable(f"nothing can be run in {namespace}/{pod}: {error.reason}") from None
        if ran.returncode:
            raise Unreachable(f"{command[0]} in {namespace}/{pod} fails: {complaint.strip()}")
        return str(printed)
