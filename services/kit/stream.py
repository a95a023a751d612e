"""What happens around each call that is answered with a stream: as boundary does, and besides

1. a stream ends with UNAVAILABLE when the process is leaving, so that whoever watches goes on elsewhere;
2. it is never longer than the contract's timeout when the caller sent no deadline;
3. who answers is said before the first response, in development.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message

from services.kit import fault, rules
from services.kit.answer import ATTEMPT, Boundary, answer, served_by, trailers
from services.kit.call import CURRENT, Call
from services.kit.errors import InvalidRequest, TimedOut, Unavailable

Handle = Callable[[bytes, Any], AsyncIterator[Message]]
Behaviour = Callable[[Any, Any], AsyncGenerator[Message, None]]


class Leaving(Unavailable):
    """The process is about to stop."""

    def __init__(self) -> None:
        super().__init__("ERROR_REASON_LEAVING", "this process is stopping; ask again")


def streamed(descriptor: MethodDescriptor, behaviour: Behaviour, boundary: Boundary) -> Handle:
    """The behaviour with everything around it."""
    method = boundary.contract.method(descriptor.name)
    parse = message_factory.GetMessageClass(descriptor.input_type).FromString
    check = rules.compiled(descriptor.input_type)
    served, clock = boundary.telemetry.served, asyncio.get_running_loop().time

    async def handle(message: bytes, context: Any) -> AsyncIterator[Message]:
        started, remaining = clock(), context.time_remaining()
        limit = method.timeout if remaining is None else remaining
        call = Call(method.path, started + limit, context.invocation_metadata, boundary.origin)
        CURRENT.set(call)
        try:
            request = parse(message)
            if violations := check(request):
                raise InvalidRequest(violations)
            if boundary.settings.development:
                await _development(call, context, method.name, boundary)
            async with aclosing(behaviour(request, context)) as responses:
                async for response in _until(boundary.leaving, responses, started + limit):
                    yield response
        except (asyncio.CancelledError, GeneratorExit):
            served(call, grpc.StatusCode.CANCELLED, started, clock())
            raise
        except Exception as error:
            told = answer(error, call, boundary)
            served(call, told.code, started, clock())
            await context.abort(told.code, told.message, trailers(told, call, boundary))
        served(call, grpc.StatusCode.OK, started, clock())

    return handle


async def _development(call: Call, context: Any, method: str, boundary: Boundary) -> None:
    settings = boundary.settings
    wanted = fault.chosen(call.headers, settings.service, method, settings.pod, settings.version)
    if wanted:
        await fault.carry_out(wanted, settings.service, int(call.headers.get(ATTEMPT, "1")))
    await context.send_initial_metadata(served_by(call, settings))


async def _until(
    leaving: asyncio.Event, responses: AsyncGenerator[Message, None], deadline: float
) -> AsyncIterator[Message]:
    """The responses. Raises Leaving, and TimedOut at the deadline on the event loop's clock."""
    clock = asyncio.get_running_loop().time
    gone = asyncio.create_task(leaving.wait(), name="leaving")
    following: asyncio.Task[Message | None] | None = None
    try:
        while True:
            following = asyncio.create_task(_next(responses), name="next response")
            await asyncio.wait(
                (following, gone), timeout=deadline - clock(), return_when=asyncio.FIRST_COMPLETED
            )
            if not following.done():
                raise Leaving if gone.done() else _too_long()
            if (response := following.result()) is None:
                return
            yield response
    finally:
        await _ended(*(task for task in (gone, following) if task))


async def _next(responses: AsyncGenerator[Message, None]) -> Message | None:
    return await anext(responses, None)


async def _ended(*tasks: asyncio.Task[Any]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


def _too_long() -> TimedOut:
    return TimedOut("ERROR_REASON_TIMED_OUT", "watched for as long as one call may take; ask again")
