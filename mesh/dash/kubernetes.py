"""The objects of a mesh, read and written over the Kubernetes API: that of `mesh up`, or a cluster's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import quote

from mesh.dash.fetch import Server, Unreachable, is_ok

Object = dict[str, Any]

#: Kind -> (where it is, its name in paths, may the page write it).
KINDS: Final[Mapping[str, tuple[str, str, bool]]] = {
    "Namespace": ("/api/v1", "namespaces", False),
    "Pod": ("/api/v1", "pods", False),
    "Service": ("/api/v1", "services", False),
    "VirtualService": ("/apis/networking.istio.io/v1", "virtualservices", True),
    "DestinationRule": ("/apis/networking.istio.io/v1", "destinationrules", True),
    "Gateway": ("/apis/networking.istio.io/v1", "gateways", False),
    "Sidecar": ("/apis/networking.istio.io/v1", "sidecars", False),
    "ServiceEntry": ("/apis/networking.istio.io/v1", "serviceentries", False),
    "AuthorizationPolicy": ("/apis/security.istio.io/v1", "authorizationpolicies", False),
    "PeerAuthentication": ("/apis/security.istio.io/v1", "peerauthentications", False),
    "RequestAuthentication": ("/apis/security.istio.io/v1", "requestauthentications", False),
    "Telemetry": ("/apis/telemetry.istio.io/v1", "telemetries", False),
}

#: Several views that ask at the same moment see the same.
_FRESH_SECONDS: Final = 1.0
_AT_ONCE: Final = 4


class Refused(Exception):
    """The API refuses: ``status`` is HTTP's, the text the API's own reason."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Kubernetes(Protocol):
    """What knows the objects of a mesh. Methods raise Unreachable and Refused."""

    def objects(self) -> Sequence[Object]:
        """All of the kinds of KINDS that there are, of every namespace."""
        ...

    def get(self, kind: str, namespace: str, name: str) -> Object: ...

    def replace(self, obj: Object) -> Object:
        """Writes it over the one with its name, unless that has changed since it was read. Returns it as it is now."""
        ...


@dataclass
class HttpKubernetes:
    """``server`` lets us in; ``clock`` tells seconds."""

    server: Server
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _kept: tuple[float, Sequence[Object]] | None = None

    def objects(self) -> Sequence[Object]:
        with self._lock:
            if self._kept is None or self.clock() - self._kept[0] > _FRESH_SECONDS:
                with ThreadPoolExecutor(_AT_ONCE) as pool:
                    found = [each for some in pool.map(self._list, KINDS) for each in some]
                self._kept = (self.clock(), found)
            return self._kept[1]

    def get(self, kind: str, namespace: str, name: str) -> Object:
        return self._said(*self.server.ask(_path(kind, namespace, name)))

    def replace(self, obj: Object) -> Object:
        metadata = obj["metadata"]
        path = _path(obj["kind"], metadata["namespace"], metadata["name"])
        found = self._said(*self.server.ask(path, "PUT", obj))
        with self._lock:
            self._kept = None
        return found

    def _list(self, kind: str) -> list[Object]:
        prefix, plural, _ = KINDS[kind]
        status, answer = self.server.ask(f"{prefix}/{plural}")
        if status in (HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN):
            return []  # a cluster without that part of Istio, or a user who may not see it
        items = self._said(status, answer).get("items") or []
        return [{"apiVersion": prefix.split("/", 2)[2], "kind": kind, **each} for each in items]

    def _said(self, status: int, answer: Any) -> Object:
        if isinstance(answer, dict) and is_ok(status):
            return answer
        if isinstance(answer, dict):
            raise Refused(status, str(answer.get("message") or f"the Kubernetes API answers {status}"))
        raise Unreachable(f"{self.server.url} answers {status}, which is no Kubernetes API")


def _path(kind: str, namespace: str, name: str) -> str:
    if kind not in KINDS:
        raise Refused(HTTPStatus.NOT_FOUND, f"there is no kind {kind}")
    prefix, plural, _ = KINDS[kind]
    return f"{prefix}/namespaces/{quote(namespace, safe='')}/{plural}/{quote(name, safe='')}"
