"""The handlers a server has from its first moment, before the service behind them is open.

Input: the service's own handlers, once life has opened it. Output: those; until then an answer that says to come back.
"""

from typing import Any

import grpc

from services.kit import status
from services.kit.errors import Unavailable


class Door(grpc.GenericRpcHandler):
    """Closed at first."""

    def __init__(self, service: str) -> None:
        self._prefix = f"/{service}/"
        self._inside: grpc.GenericRpcHandler | None = None

    def open(self, inside: grpc.GenericRpcHandler) -> None:
        self._inside = inside

    def service(self, details: grpc.HandlerCallDetails) -> "grpc.RpcMethodHandler[Any, Any] | None":
        if self._inside:
            return self._inside.service(details)
        return (
            grpc.unary_unary_rpc_method_handler(_starting)
            if details.method.startswith(self._prefix)
            else None
        )


async def _starting(request: bytes, context: Any) -> None:
    error = Unavailable("ERROR_REASON_STARTING", "the service has not started yet")
    await context.abort(error.code, error.message, (status.to_trailer(error, ""),))
