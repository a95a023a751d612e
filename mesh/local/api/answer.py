"""Answers: JSON, Status objects for what was refused, Warning headers for what was accepted with a remark."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from starlette.responses import Response

from mesh.local.store import Object, Refused
from mesh.resources.problem import Problem

WARNINGS_SHOWN = 20


def encode(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def answer(
    value: Any, code: int = 200, warnings: Iterable[Problem] = (), media: str = "application/json"
) -> Response:
    """A JSON answer. Each warning becomes a ``Warning: 299`` header, which kubectl and helm print."""
    response = Response(encode(value), code, media_type=media)
    for problem in list(warnings)[:WARNINGS_SHOWN]:
        response.headers.append("Warning", f'299 - "{_quoted(_told(problem))}"')
    return response


def status(refused: Refused) -> Response:
    """The Status that a refusal is on the wire."""
    return answer(status_object(refused), refused.code)


def status_object(refused: Refused) -> Object:
    kind = refused.kind
    details: Object = {"name": refused.name, "group": kind.group, "kind": kind.plural} if kind else {}
    if kind and refused.reason == "Invalid":
        details["kind"] = kind.name
    if refused.causes:
        details["causes"] = [
            {"reason": cause.reason, "message": cause.message, "field": cause.field}
            for cause in refused.causes
        ]
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": refused.message,
        "reason": refused.reason,
        "details": details,
        "code": refused.code,
    }


def success(details: Object) -> Object:
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _told(problem: Problem) -> str:
    where = f"{problem.place.path}: " if problem.place.path else ""
    return f"{where}{problem.code} {problem.message}" + (f" ({problem.fix})" if problem.fix else "")


def _quoted(text: str) -> str:
    """As a quoted-string of RFC 9110, in ASCII."""
    flat = " ".join(text.split()).replace("\\", "\\\\").replace('"', '\\"')
    return flat.encode("ascii", "backslashreplace").decode()
