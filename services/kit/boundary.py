"""What happens around each call, in one place: context in, rules, faults, the method, errors out, and a record of it.

Input: a servicer with one coroutine a method (request, context). Output: gRPC handlers that are already wrapped, which
costs a call less than an interceptor would. Unary methods only: the shop has no others yet.

1. The caller's trace, correlation id and deadline become the current Call; without a deadline, the contract's timeout.
2. The request is parsed and its rules are checked.
3. A fault asked for in development is carried out.
4. The method runs. A ServiceError becomes its status with details; a CallFailed, the failure of a service behind this
   one, becomes UNAVAILABLE or DEADLINE_EXCEEDED where that is what it was; anything else is INTERNAL, and logged.
5. Who answered (served-by, served-version, attempt) goes with every error, and in development with every response; two
   headers more cost a response a tenth of the throughput. An error is sent as trailers alone: a proxy retries only what
   it can read before the response has begun.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import grpc
import structlog
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import DecodeError, Message

from services.kit import fault, rules, status
from services.kit.call import CURRENT, Call, Headers, Origin
from services.kit.contract import Contract, Method
from services.kit.errors import CallFailed, InvalidRequest, ServiceError, TimedOut, Unavailable, Violation
from services.kit.settings import Settings
from services.kit.telemetry import Telemetry

Handle = Callable[[bytes, Any], Awaitable[Message]]
ATTEMPT = "x-envoy-attempt-count"
Behaviour = Callable[[Any, Any], Awaitable[Message]]
_PASSED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_OURS = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN, grpc.StatusCode.DATA_LOSS)


@dataclass(frozen=True)
class Boundary:
    """What every call of a process needs to know."""

    settings: Settings
    contract: Contract
    telemetry: Telemetry
    origin: Origin
    log: structlog.typing.FilteringBoundLogger


def handler(service: ServiceDescriptor, servicer: object, boundary: Boundary) -> grpc.GenericRpcHandler:
    """Raises rules.BadRule, and AttributeError when the servicer lacks a method of the contract."""
    methods: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
        method.name: grpc.unary_unary_rpc_method_handler(
            _wrapped(method, getattr(servicer, method.name), boundary),
            response_serializer=message_factory.GetMessageClass(method.output_type).SerializeToString,
        )
        for method in service.methods
    }
    return grpc.method_handlers_generic_handler(service.full_name, methods)


def _wrapped(descriptor: MethodDescriptor, behaviour: Behaviour, boundary: Boundary) -> Handle:
    """The behaviour with everything around it. One flat function: each call awaited on the way costs."""
    method = boundary.contract.method(descriptor.name)
    parse = message_factory.GetMessageClass(descriptor.input_type).FromString
    check = rules.compiled(descriptor.input_type)
    development, origin = boundary.settings.development, boundary.origin
    served, clock = boundary.telemetry.served, asyncio.get_running_loop().time

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
            answer = _answer(error, call, boundary)
            served(call, answer.code, started, clock())
            trailer = status.to_trailer(answer, boundary.contract.domain)
            await context.abort(answer.code, answer.message, (*_served_by(call, boundary.settings), trailer))
            raise  # abort has raised already
        served(call, grpc.StatusCode.OK, started, clock())
        return response

    return handle


def _served_by(call: Call, settings: Settings) -> Headers:
    attempt = call.headers.get(ATTEMPT)
    served_by = (("served-by", settings.pod), ("served-version", settings.version))
    return (*served_by, ("attempt", attempt)) if attempt else served_by


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
    await context.send_initial_metadata(_served_by(call, settings))
    return response


def _answer(error: Exception, call: Call, boundary: Boundary) -> ServiceError:
    answer = error if isinstance(error, ServiceError) else _translated(error, call)
    if answer.code in _OURS:
        boundary.log.error("call failed", method=call.method, code=answer.code.name, exc_info=error)
    else:
        boundary.log.info("call refused", method=call.method, code=answer.code.name, message=answer.message)
    return answer


def _translated(error: Exception, call: Call) -> ServiceError:
    if isinstance(error, DecodeError):
        return InvalidRequest(
            [Violation("", "the request is not a message of the type that the method takes")]
        )
    if isinstance(error, CallFailed) and error.code in _PASSED:
        kind = TimedOut if error.code is grpc.StatusCode.DEADLINE_EXCEEDED else Unavailable
        return kind("ERROR_REASON_UPSTREAM_FAILED", str(error), method=error.path)
    return ServiceError(
        "ERROR_REASON_INTERNAL",
        f"a mistake in the service; see its log, trace {call.span.trace_id}",
        trace_id=call.span.trace_id,
    )
