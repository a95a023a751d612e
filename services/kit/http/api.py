"""FastAPI as services of the kit use it: errors are problems, and the OpenAPI document says so.

Used by a Site's `open`. The pages that FastAPI has to show the document load scripts from elsewhere, and are left out.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from services.kit.app import App
from services.kit.call import CURRENT
from services.kit.errors import CallFailed, InvalidRequest, ServiceError, Violation
from services.kit.http import problem
from services.kit.http.boundary import report


class FieldError(BaseModel):
    """What is wrong with a field."""

    field: str = Field(description="As a path from the request: items[0].quantity")
    description: str


class ProblemDetails(BaseModel):
    """An error: RFC 9457, with the details that google.rpc gives."""

    type: str
    title: str
    status: int
    detail: str
    reason: str | None = Field(None, description="For programs: a value of the ErrorReason of the domain")
    domain: str | None = Field(None, description="The contract that the reason belongs to")
    metadata: dict[str, str] | None = None
    errors: list[FieldError] | None = None
    retry_after: float | None = Field(None, description="Seconds after which another try may help")
    trace_id: str | None = None


def api(app: App, title: str, domain: str, description: str) -> FastAPI:
    """Without any routes yet."""
    made = FastAPI(
        title=title,
        version=app.settings.version,
        description=description,
        docs_url=None,
        redoc_url=None,
        responses={
            "default": {"description": "A problem", "content": {problem.MEDIA_TYPE: {"schema": _REF}}}
        },
        separate_input_output_schemas=False,
    )
    handler = _handler(app, domain)
    for kind in (ServiceError, CallFailed, HTTPException, RequestValidationError, Exception):
        made.add_exception_handler(kind, handler)
    _described(made)
    return made


def _described(made: FastAPI) -> None:
    """Adds the problem to the document's components: FastAPI knows models of its own media type only."""
    document = made.openapi

    def openapi() -> dict[str, Any]:
        found = document()
        schema = ProblemDetails.model_json_schema(ref_template="#/components/schemas/{model}")
        inner = schema.pop("$defs", {})
        found["components"]["schemas"].update(inner | {ProblemDetails.__name__: schema})
        return found

    made.openapi = openapi  # type: ignore[method-assign]


_REF = {"$ref": "#/components/schemas/ProblemDetails"}


def _handler(app: App, domain: str) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def handle(request: Request, error: Exception) -> Response:
        said = (
            InvalidRequest(list(map(_violation, error.errors())))
            if isinstance(error, RequestValidationError)
            else error
        )
        call = CURRENT.get()
        assert call, "requests come through the boundary"
        return problem.response(report(said, call, app, domain))

    return handle


def _violation(error: dict[str, object]) -> Violation:
    location = error["loc"]
    assert isinstance(location, Sequence)
    return Violation(_path(location[1:]) or str(location[0]), str(error["msg"]))


def _path(parts: Sequence[object]) -> str:
    """("items", 0, "quantity") as items[0].quantity"""
    joined = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return joined.removeprefix(".")
