"""A cluster by its kubeconfig, through the official client: reads of its API, and the admin page of a pod's proxy by port-forward.

Used by mesh.cli for mesh.live. The client takes a third of a second to import and is an extra of the package, so it is loaded here alone.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

_SECONDS: Final = 15.0
_ADMIN: Final = 15000
_ABSENT: Final = 404


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

        try:
            answer = self._api.call_api(
                path,
                "GET",
                header_params={"Accept": "application/json"},
                auth_settings=["BearerToken"],
                _preload_content=False,
                _return_http_data_only=True,
                _request_timeout=_SECONDS,
            )
        except self._client.ApiException as error:
            if error.status == _ABSENT:
                return {"items": []}
            raise Unreachable(f"the cluster answers {error.status} to {path}: {error.reason}") from None
        except HTTPError as error:
            raise Unreachable(f"the cluster does not answer: {error}") from None
        found: Mapping[str, Any] = json.loads(answer.data)
        return found

    def admin(self, namespace: str, pod: str, path: str) -> bytes:
        """An admin page of a pod's Envoy, which listens to its own pod only."""
        from kubernetes.stream import portforward

        core = self._client.CoreV1Api(self._api)
        connection = http.client.HTTPConnection("127.0.0.1")
        try:
            forwarded = portforward(
                core.connect_get_namespaced_pod_portforward, pod, namespace, ports=str(_ADMIN)
            )
            connection.sock = forwarded.socket(_ADMIN)
            connection.sock.settimeout(_SECONDS)
            connection.request("GET", path)
            return connection.getresponse().read()
        except (self._client.ApiException, OSError, http.client.HTTPException) as error:
            raise Unreachable(f"the proxy of {namespace}/{pod} does not answer: {error}") from None
        finally:
            connection.close()
