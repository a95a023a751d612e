"""The token that callers show, and the kubeconfig that gives it to kubectl and the kubernetes client."""

from __future__ import annotations

import base64
import json
import secrets
from pathlib import Path

from mesh.local.api.private import write_private

CONTEXT = "mesh"


def ensure_token(path: Path) -> str:
    """The token kept in the file, or a new random one (256 bits)."""
    if not path.is_file() or not path.read_text().strip():
        write_private(path, secrets.token_urlsafe(32))
    return path.read_text().strip()


def write_kubeconfig(path: Path, address: str, ca: Path, token: str, namespace: str) -> None:
    """Writes it in one step, readable by its owner only. JSON, which is YAML too."""
    authority = base64.b64encode(ca.read_bytes()).decode()
    cluster = {"server": address, "certificate-authority-data": authority}
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": CONTEXT, "cluster": cluster}],
        "users": [{"name": CONTEXT, "user": {"token": token}}],
        "contexts": [
            {"name": CONTEXT, "context": {"cluster": CONTEXT, "user": CONTEXT, "namespace": namespace}}
        ],
        "current-context": CONTEXT,
    }
    write_private(path, json.dumps(config, indent=2) + "\n")
