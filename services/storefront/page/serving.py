"""The page's files, read once at start; a browser asks again each time, and is told that nothing changed.

/                the page
/assets/NAME     what it loads
"""

import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FILES = Path(__file__).parent / "files"
INDEX = "index.html"
#: Scripts, styles, pictures and calls are the page's own, and nobody may frame it.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
)


@dataclass(frozen=True)
class File:
    """`tag` changes with the content."""

    content: bytes
    media_type: str
    tag: str


def read(folder: Path = FILES) -> Mapping[str, File]:
    """By name."""
    return {path.name: _file(path) for path in folder.iterdir()}


def _file(path: Path) -> File:
    content = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return File(content, kind, f'"{hashlib.sha256(content).hexdigest()[:20]}"')


def routes(files: Mapping[str, File]) -> list[Route]:
    async def index(request: Request) -> Response:
        return answer(files[INDEX], request)

    async def asset(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in files:
            raise HTTPException(404, "the page has no such file")
        return answer(files[name], request)

    return [Route("/", index), Route("/assets/{name}", asset)]


def answer(file: File, request: Request) -> Response:
    headers = {
        "etag": file.tag,
        "cache-control": "no-cache",
        "content-security-policy": POLICY,
        "vary": "accept-encoding",
    }
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(file.content, headers=headers, media_type=file.media_type)
