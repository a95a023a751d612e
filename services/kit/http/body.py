"""A limit on what a request may send, whether it says its length first or not."""

from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope


def limited(scope: Scope, receive: Receive, most: int) -> Receive:
    """The request's messages; raises HTTPException (413) once its body is larger than `most` bytes."""
    said = dict(scope["headers"]).get(b"content-length", b"")
    taken = int(said) if said.isdigit() else 0

    async def counted() -> Message:
        nonlocal taken
        if taken > most:
            raise _too_large(most)
        message = await receive()
        if not said:
            taken += len(message.get("body", b""))
            if taken > most:
                raise _too_large(most)
        return message

    return counted


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"the body is larger than the {most} bytes it may have")
