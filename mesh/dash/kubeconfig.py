"""A kubeconfig -> the Kubernetes API server that it names, and how to be let in there.

Source: https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/
"""

from __future__ import annotations

import base64
import json
import os
import ssl
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from mesh.dash.fetch import Server

Object = dict[str, Any]
_PLUGIN_SECONDS = 30.0


class CannotRead(Exception):
    """There is no such kubeconfig or context, or it asks for something that is not understood. The text says what to do."""


def server(path: Path, context: str = "") -> Server:
    """Of the context, or of the current one. Raises CannotRead."""
    found = _read(path)
    name = context or found.get("current-context") or ""
    used = _named(found, "contexts", "context", name, path)
    cluster = _named(found, "clusters", "cluster", used.get("cluster", ""), path)
    user = _with_plugin(_named(found, "users", "user", used.get("user", ""), path))
    headers = {"Authorization": f"Bearer {token}"} if (token := _token(user, path)) else {}
    return Server(cluster["server"], headers, _context(cluster, user, path))


def _read(path: Path) -> Object:
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CannotRead(f"{path}: {error}") from None
    if not isinstance(found, dict):
        raise CannotRead(f"{path} is no kubeconfig")
    return found


def _named(config: Object, many: str, one: str, name: str, path: Path) -> Object:
    entries = config.get(many) or []
    for each in entries:
        if each.get("name") == name:
            found: Object = each.get(one) or {}
            return found
    known = ", ".join(str(each.get("name")) for each in entries) or "none"
    raise CannotRead(f"{path} has no {one} {name!r}; there are: {known}")


def _with_plugin(user: Object) -> Object:
    """What a credential plugin says, added. Source: client.authentication.k8s.io/v1."""
    plugin = user.get("exec")
    if not plugin:
        return user
    more = {each["name"]: each["value"] for each in plugin.get("env") or ()}
    told = {"apiVersion": plugin.get("apiVersion"), "kind": "ExecCredential", "spec": {"interactive": False}}
    command = [plugin["command"], *(plugin.get("args") or ())]
    try:
        done = subprocess.run(
            command,
            env={**os.environ, **more, "KUBERNETES_EXEC_INFO": json.dumps(told)},
            capture_output=True,
            timeout=_PLUGIN_SECONDS,
            check=True,
        )
        status: Mapping[str, str] = json.loads(done.stdout)["status"]
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        raise CannotRead(
            f"{plugin['command']}, which the kubeconfig asks for a token, failed: {error}"
        ) from None
    encoded = {
        f"client-{kind}-data": base64.b64encode(status[key].encode()).decode()
        for kind, key in (("certificate", "clientCertificateData"), ("key", "clientKeyData"))
        if status.get(key)
    }
    return {**user, **encoded, **({"token": status["token"]} if status.get("token") else {})}


def _token(user: Object, path: Path) -> str:
    if user.get("tokenFile"):
        return Path(path.parent, str(user["tokenFile"])).read_text().strip()
    return str(user.get("token") or "")


def _context(cluster: Object, user: Object, path: Path) -> ssl.SSLContext | None:
    if not cluster["server"].startswith("https:"):
        return None
    authority = _data(cluster, "certificate-authority", path)
    context = ssl.create_default_context(cadata=authority or None)
    if cluster.get("insecure-skip-tls-verify"):
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    certificate, key = _data(user, "client-certificate", path), _data(user, "client-key", path)
    if certificate and key:
        with tempfile.NamedTemporaryFile("w") as file:  # only its owner can read it; gone at once
            file.write(f"{certificate}\n{key}\n")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _data(entry: Object, name: str, path: Path) -> str:
    """PEM, from within the kubeconfig or from the file that it names."""
    if entry.get(f"{name}-data"):
        return base64.b64decode(entry[f"{name}-data"]).decode()
    return Path(path.parent, str(entry[name])).read_text() if entry.get(name) else ""
