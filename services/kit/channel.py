"""Calls to other services: deadlines passed on, trace and correlation passed on, failures as CallFailed.

Input: the current Call (what is left of its deadline, its headers) and the contract of the service called. Output: a
channel for that service's generated stub; its methods take a request and nothing else, and are coroutines, or generators where
the answer is a stream.

The deadline sent is the contract's timeout or what is left of our own less a margin, whichever is sooner: the margin is
what we need to answer our caller after the other side has not answered us.

Proxies on the way know the deadline, too. One that notices first says UNAVAILABLE; here it is DEADLINE_EXCEEDED all the same.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import grpc
from grpc import aio

from services.kit import status, trace
from services.kit.call import CURRENT, Call, Origin
from services.kit.contract import Contract, Method
from services.kit.errors import CallFailed
from services.kit.telemetry import Telemetry

MARGIN = 0.1
EARLY = 0.02  # seconds by which a proxy's clock may be ahead of ours
_OPTIONS = (
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
)


class Channel:
    """Stands for an aio.Channel in a generated stub. Retries are the mesh's, so the channel makes none."""

    def __init__(self, address: str, contract: Contract, origin: Origin, telemetry: Telemetry) -> None:
        self._channel = aio.insecure_channel(address, options=_OPTIONS)
        self._methods = {method.path: method for method in contract.methods}
        self._origin = origin
        self._telemetry = telemetry

    def unary_unary(self, path: str, **marshalling: Any) -> Callable[[Any], Coroutine[Any, Any, Any]]:
        """What a stub asks for when it is made."""
        method, send = self._methods[path], self._channel.unary_unary(path, **marshalling)
        clock, called = asyncio.get_running_loop().time, self._telemetry.called

        async def call(request: Any) -> Any:
            current, started = CURRENT.get(), clock()
            span = self._span(current)
            metadata = (("traceparent", span.header), *(current.inherited if current else ()))
            timeout = _timeout(method, current, started)
            try:
                response = await send(request, timeout=timeout, metadata=metadata)
            except aio.AioRpcError as error:
                failed = status.from_call(path, error)
                if failed.code is grpc.StatusCode.UNAVAILABLE and clock() >= started + timeout - EARLY:
                    failed = CallFailed(path, grpc.StatusCode.DEADLINE_EXCEEDED, failed.message)
                called(path, span, failed.code, started, clock())
                raise failed from None
            called(path, span, grpc.StatusCode.OK, started, clock())
            return response

        return call

    def unary_stream(self, path: str, **marshalling: Any) -> Callable[[Any], AsyncGenerator[Any, None]]:
        """The same for a method that answers with a stream: its responses, until it ends or nobody asks for more."""
        method, send = self._methods[path], self._channel.unary_stream(path, **marshalling)
        clock, called = asyncio.get_running_loop().time, self._telemetry.called

        async def call(request: Any) -> AsyncGenerator[Any, None]:
            current, started = CURRENT.get(), clock()
            span = self._span(current)
            metadata = (("traceparent", span.header), *(current.inherited if current else ()))
            responses = send(request, timeout=_timeout(method, current, started), metadata=metadata)
            try:
                async for response in responses:
                    yield response
            except aio.AioRpcError as error:
                failed = status.from_call(path, error)
                called(path, span, failed.code, started, clock())
                raise failed from None
            finally:
                responses.cancel()
            called(path, span, grpc.StatusCode.OK, started, clock())

        return call

    def _span(self, current: Call | None) -> trace.Span:
        """Without a call to be part of, a trace of its own, not recorded."""
        source = self._origin.random
        return trace.under(current.span, source) if current else trace.continued(None, 0.0, source)

    async def close(self) -> None:
        await self._channel.close()


def _timeout(method: Method, current: Call | None, now: float) -> float:
    if current is None:
        return method.timeout
    remaining = current.deadline - now
    if remaining <= MARGIN:
        raise CallFailed(method.path, grpc.StatusCode.DEADLINE_EXCEEDED, "no time left to call")
    return min(method.timeout, remaining - MARGIN)
