"""What happens around each call, in one place: context in, rules, faults, the method, errors out, and a record of it.

Input: a servicer with one coroutine a method (request, context). Output: gRPC handlers that are already wrapped, which
costs a call less than an interceptor would. Methods that answer with a stream are in stream.

1. The caller's trace, correlation id and deadline become the current Call; without a deadline, the contract's timeout.
2. The request is parsed and its rules are checked.
3. A fault asked for in development is carried out.
4. The method runs. What it raises becomes a status with details (answer).
5. Who answered (served-by, served-version, attempt) goes with every error, and in development with every response; two
   headers more cost a response a tenth of the throughput. An error is sent as trailers alone: a proxy retries only what
   it can read before the response has begun.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions
from google.protobuf.message import Message

from services.kit import fault, rules
from services.kit.answer import ATTEMPT, Boundary, answer, served_by, trailers
from services.kit.call import CURRENT, Call
from services.kit.contract import Method
from services.kit.errors import InvalidRequest, TimedOut
from services.kit.stream import streamed

Handle = Callable[[bytes, Any], Awaitable[Message]]
Behaviour = Callable[[Any, Any], Awaitable[Message]]


def handler(service: ServiceDescriptor, servicer: object, boundary: Boundary) -> grpc.GenericRpcHandler:
    """Raises rules.BadRule, and AttributeError when the servicer lacks a method of the contract."""
    methods = {
        method.name: _handler(method, getattr(servicer, method.name), boundary) for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _handler(
    method: MethodDescriptor, behaviour: Any, boundary: Boundary
) -> "grpc.RpcMethodHandler[Any, Any]":
    serialized = message_factory.GetMessageClass(method.output_type).SerializeToString
    if method.server_streaming:
        responses = streamed(method, behaviour, boundary)
        return grpc.unary_stream_rpc_method_handler(responses, response_serializer=serialized)
    response = _wrapped(method, behaviour, boundary)
    return grpc.unary_unary_rpc_method_handler(response, response_serializer=serialized)


def _wrapped(descriptor: MethodDescriptor, behaviour: Behaviour, boundary: Boundary) -> Handle:
    """The behaviour with everything around it. One flat function: each call awaited on the way costs."""
    method = boundary.contract.method(descriptor.name)
    parse = message_factory.GetMessageClass(descriptor.input_type).FromString
    check = rules.compiled(descriptor.input_type)
    development, origin = boundary.settings.development, boundary.origin
    served, clock = boundary.telemetry.served, asyncio.get_running_loop().time
    changes = descriptor.GetOptions().idempotency_level != MethodOptions.NO_SIDE_EFFECTS

    async def handle(message: bytes, context: Any) -> Message:
        started, remaining = clock(), context.time_remaining()
        call = Call(method.path, started + (remaining or method.timeout), context.invocation_metadata, origin)
        CURRENT.set(call)
        try:
            request = parse(message)
            if violations := check(request):
                raise InvalidRequest(violations)
            if development:
                response = await _faulty(behaviour, request, context, method, call, boundary)
            elif remaining is None:
                response = await _limited(behaviour, request, context, method.timeout)
            else:
                response = await behaviour(request, context)
        except asyncio.CancelledError:
            served(call, grpc.StatusCode.CANCELLED, started, clock())
            raise
        except Exception as error:
            told = answer(error, call, boundary)
            served(call, told.code, started, clock())
            await context.abort(told.code, told.message, trailers(told, call, boundary))
            raise  # abort has raised already
        served(call, grpc.StatusCode.OK, started, clock())
        if changes:
            boundary.log.info(
                "call served", method=call.method, milliseconds=_milliseconds(clock() - started)
            )
        return response

    return handle


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 1)


async def _limited(behaviour: Behaviour, request: Message, context: Any, seconds: float) -> Message:
    try:
        async with asyncio.timeout(seconds) as limit:
            return await behaviour(request, context)
    except TimeoutError:
        if limit.expired():
            raise TimedOut(
                "ERROR_REASON_TIMED_OUT", f"took longer than the {seconds:g} s it may take"
            ) from None
        raise


async def _faulty(
    behaviour: Behaviour, request: Message, context: Any, method: Method, call: Call, boundary: Boundary
) -> Message:
    """In development: the behaviour with the fault that was asked for, and the headers that say who answered."""
    settings = boundary.settings
    wanted = fault.chosen(call.headers, settings.service, method.name, settings.pod, settings.version)
    attempt = int(call.headers.get(ATTEMPT, "1"))

    async def faulty(request: Message, context: Any) -> Message:
        if wanted and not wanted.after:
            await fault.carry_out(wanted, settings.service, attempt)
        response = await behaviour(request, context)
        if wanted and wanted.after:
            await fault.carry_out(wanted, settings.service, attempt)
        return response

    response = await _limited(faulty, request, context, method.timeout)
    await context.send_initial_metadata(served_by(call, settings))
    return response
