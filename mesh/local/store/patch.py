"""The ways to patch an object, by the media type that a client names them with."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from mesh.local.store.jsonpatch import json_patch, merge_patch
from mesh.local.store.kind import Kind
from mesh.local.store.object import Object
from mesh.local.store.refusal import bad_request, unsupported
from mesh.local.store.strategic import strategic_patch


class PatchType(StrEnum):
    """The media types of a PATCH request.

    APPLY is no patch of the object but a configuration: see ``Store.apply``.
    """

    JSON = "application/json-patch+json"
    MERGE = "application/merge-patch+json"
    STRATEGIC = "application/strategic-merge-patch+json"
    APPLY = "application/apply-patch+yaml"


def patched(obj: Object, patch: Any, how: PatchType, kind: Kind) -> Object:
    """The object with the patch applied.

    Raises Refused: 415 for a type that the kind does not take, 400 and 422 for a patch that does not fit.
    """
    if how is PatchType.STRATEGIC and kind.is_istio:
        instead = f"send {PatchType.MERGE} or {PatchType.JSON} (kubectl patch --type=merge)"
        raise unsupported(f"{kind.name} takes no {how}, as on a cluster: {instead}")
    if how is PatchType.JSON:
        result = json_patch(obj, patch)
    else:
        result = (strategic_patch if how is PatchType.STRATEGIC else merge_patch)(obj, patch)
    if not isinstance(result, dict):
        raise bad_request("the patch leaves no object")
    return result
