"""Just enough OpenAPI v3 for kubectl to learn that the server checks fields itself.

What they look for is a path whose patch names the kind and has a ``fieldValidation`` parameter; with that
they send what the user wrote.
"""

from __future__ import annotations

from mesh.local.api.discovery import groups
from mesh.local.store import KINDS, Object

VERSION_2 = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
"""Where kubectl looks for a kind that version 3 does not have: an empty document (no bytes, in protobuf) says
that there is none.
"""

_ACTION = "x-kubernetes-action"
_KIND = "x-kubernetes-group-version-kind"


def index() -> Object:
    served = [
        "api/v1",
        *(f"apis/{group}/{version}" for group, versions in groups().items() for version in versions),
    ]
    return {"paths": {path: {"serverRelativeURL": f"/openapi/v3/{path}"} for path in served}}


def document(group: str, version: str) -> Object:
    """Of one group-version: a path for each kind, and no schemas."""
    root = f"/apis/{group}/{version}" if group else f"/api/{version}"
    parameters = [
        {"name": name, "in": "query", "schema": {"type": "string"}} for name in ("dryRun", "fieldValidation")
    ]
    paths = {
        f"{root}/{kind.plural}/{{name}}": {
            "patch": {
                _ACTION: "patch",
                _KIND: {"group": group, "version": version, "kind": kind.name},
                "parameters": parameters,
                "responses": {"200": {"description": "OK"}},
            }
        }
        for kind in KINDS
        if kind.group == group and version in kind.versions
    }
    return {"openapi": "3.0.0", "info": {"title": "meshwright", "version": "v1"}, "paths": paths}
