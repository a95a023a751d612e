"""Asks the Envoy of a pod of this machine, over its admin socket. Used by mesh.live."""

from __future__ import annotations

import http.client
import os
import socket
from typing import Final

from mesh.local.paths import Paths

_SECONDS: Final = 5.0


def get(paths: Paths, pod: str, path: str) -> bytes:
    """What the admin page says. Raises OSError or HTTPException when the proxy does not answer."""
    connection = http.client.HTTPConnection("proxy")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.settimeout(_SECONDS)
        connection.sock.connect(_short(paths, pod))
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()


def _short(paths: Paths, pod: str) -> str:
    """The socket's path, from here where that is shorter: a Unix socket's has 107 bytes (unix(7))."""
    whole = paths.pod(pod) / "admin.sock"
    return min(str(whole), os.path.relpath(whole), key=lambda text: len(os.fsencode(text)))
