"""What every service of the shop does the same way, in any language.

Each habit is a coroutine that takes a `Target` and raises AssertionError. `python -m tests.services.conformance ADDRESS
SERVICE METHOD [JSON]` tries ALL on a running service; test_habits tries the rest, too, on those of the shop. To add a
language: serve, run this, then give the service a line in mesh.yaml and in test_habits.
"""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo
from google.rpc.status_pb2 import Status
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2

LIMIT = 5.0
REFLECTION = ("grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection")


@dataclass(frozen=True)
class Target:
    """A service at an address, and a method of it without side effects that answers `request` (JSON) with OK."""

    address: str
    service: str
    method: str
    request: str = "{}"

    @property
    def path(self) -> str:
        return f"/{self.service}/{self.method}"

    @property
    def fault(self) -> str:
        """The header of its faults in development."""
        return f"x-fault-{self.service.split('.')[1]}"

    def channel(self) -> aio.Channel:
        return aio.insecure_channel(self.address)


async def health_knows_the_service(target: Target) -> None:
    async with target.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        for name in ("", target.service):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=LIMIT)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING, name
        with_all = await stub.List(health_pb2.HealthListRequest(), timeout=LIMIT)
        assert {"", target.service} <= set(with_all.statuses)


async def health_does_not_know_others(target: Target) -> None:
    async with target.channel() as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        error = await failure(stub.Check(health_pb2.HealthCheckRequest(service="no.Such"), timeout=LIMIT))
        assert error.code() is grpc.StatusCode.NOT_FOUND
        watching = stub.Watch(health_pb2.HealthCheckRequest(service="no.Such"), timeout=LIMIT)
        assert (await watching.read()).status == health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
        watching.cancel()


async def reflection_describes_the_service(target: Target) -> None:
    for version in REFLECTION:
        listed = await reflect(target, version, reflection_pb2.ServerReflectionRequest(list_services=""))
        names = {service.name for service in listed.list_services_response.service}
        assert {target.service, "grpc.health.v1.Health", *REFLECTION} <= names, version
        assert (await described(target, version)).methods_by_name[target.method]


async def reflection_refuses_what_it_does_not_know(target: Target) -> None:
    for version in REFLECTION:
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol="no.Such")
        answer = await reflect(target, version, request)
        assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def a_call_is_answered(target: Target) -> None:
    assert await call(target, target.request) is not None


async def an_unknown_method_is_unimplemented(target: Target) -> None:
    async with target.channel() as channel:
        send = channel.unary_unary(f"/{target.service}/NoSuchMethod")
        assert (await failure(send(b"", timeout=LIMIT))).code() is grpc.StatusCode.UNIMPLEMENTED


async def a_malformed_message_is_no_answer(target: Target) -> None:
    async with target.channel() as channel:
        error = await failure(channel.unary_unary(target.path)(b"\xff\xff\xff", timeout=LIMIT))
        assert error.code() in (grpc.StatusCode.INTERNAL, grpc.StatusCode.INVALID_ARGUMENT)


async def a_deadline_is_kept(target: Target) -> None:
    """A call that hangs ends with its deadline, and the service goes on. One that obeys no faults answers in time."""
    began = time.monotonic()
    with contextlib.suppress(aio.AioRpcError):
        await call(target, target.request, limit=0.3, headers=((target.fault, "hang"),))
    assert time.monotonic() - began < 2
    await a_call_is_answered(target)


async def a_fault_is_carried_out(target: Target) -> None:
    """In development: for the attempts that are asked for, on the method that is meant, before or after its work."""
    header = target.fault
    for asked in ("fail=1", f"fail=1;method={target.method}", "fail=1;when=after", "fail=1;delay=10ms"):
        error = await failure(call(target, target.request, headers=((header, asked),)))
        assert error.code() is grpc.StatusCode.UNAVAILABLE, asked
        assert details(error)[ErrorInfo][0].reason == "ERROR_REASON_FAULT"
        assert "served-by" in dict(error.trailing_metadata() or ())
    for asked in ("fail=1;method=Other", "fail=1;pod=other", "fail=1;version=v9"):
        await call(target, target.request, headers=((header, asked),))
    await call(target, target.request, headers=((header, "fail=1"), ("x-envoy-attempt-count", "2")))
    error = await failure(call(target, target.request, headers=((header, "code=NOT_FOUND"),)))
    assert error.code() is grpc.StatusCode.NOT_FOUND
    error = await failure(call(target, target.request, headers=((header, "code=NO_SUCH"),)))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    error = await failure(call(target, target.request, limit=0.3, headers=((header, "hang"),)))
    assert error.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def an_error_says_why(target: Target, bad: str) -> None:
    """`bad` is a request that breaks a rule: INVALID_ARGUMENT, a reason, and the field."""
    error = await failure(call(target, bad))
    assert error.code() is grpc.StatusCode.INVALID_ARGUMENT
    found = details(error)
    assert found[ErrorInfo][0].reason.startswith("ERROR_REASON_")
    assert found[ErrorInfo][0].domain
    assert found[BadRequest][0].field_violations[0].field
    assert ("served-by" in dict(error.trailing_metadata() or ())) is True


async def draining_loses_no_call(target: Target, stop: Any) -> None:
    """Calls that go on while `stop` (a coroutine that tells the service to stop, and returns when it has) runs all
    succeed until health says NOT_SERVING; afterwards they fail only as calls that were never sent."""
    async with target.channel() as channel:
        watching = health_pb2_grpc.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(), timeout=30)
        statuses = [(await watching.read()).status]
        stopping, answered = asyncio.create_task(stop), 0
        told = asyncio.create_task(watching.read())
        while not told.done():
            await call(target, target.request)
            answered += 1
        statuses.append((await told).status)
        for _ in range(20):
            await call(target, target.request)
        await stopping
    assert statuses == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]


ALL = (
    health_knows_the_service,
    health_does_not_know_others,
    reflection_describes_the_service,
    reflection_refuses_what_it_does_not_know,
    a_call_is_answered,
    an_unknown_method_is_unimplemented,
    a_malformed_message_is_no_answer,
    a_deadline_is_kept,
)


async def failure(sending: Any) -> aio.AioRpcError:
    try:
        await sending
    except aio.AioRpcError as error:
        return error
    raise AssertionError("the call succeeded")


def details(error: aio.AioRpcError) -> dict[type, list[Any]]:
    """The google.rpc details of an error by their type."""
    found: dict[type, list[Any]] = {ErrorInfo: [], BadRequest: []}
    trailer = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin", b"")
    packed: list[AnyMessage] = list(Status.FromString(trailer).details)
    for kind in found:
        for each in packed:
            message = kind()
            if each.Unpack(message):
                found[kind].append(message)
    return found


async def call(
    target: Target, request: str, limit: float = LIMIT, headers: tuple[tuple[str, str], ...] = ()
) -> Any:
    """By reflection, so that it needs no generated code of the service."""
    method = (await described(target, REFLECTION[0])).methods_by_name[target.method]
    send_type = message_factory.GetMessageClass(method.input_type)
    message = json_format.Parse(request, send_type())
    async with target.channel() as channel:
        await asyncio.wait_for(channel.channel_ready(), LIMIT)
        send = channel.unary_unary(
            target.path,
            request_serializer=send_type.SerializeToString,
            response_deserializer=message_factory.GetMessageClass(method.output_type).FromString,
        )
        return await send(message, timeout=limit, metadata=headers)


_DESCRIBED: dict[tuple[str, str], Any] = {}


async def described(target: Target, version: str) -> Any:
    """The service's descriptor, from the files that reflection gives."""
    key = (target.service, version)
    if key not in _DESCRIBED:
        request = reflection_pb2.ServerReflectionRequest(file_containing_symbol=target.service)
        answer = await reflect(target, version, request)
        pool = descriptor_pool.DescriptorPool()
        files = [
            descriptor_pb2.FileDescriptorProto.FromString(text)
            for text in answer.file_descriptor_response.file_descriptor_proto
        ]
        _add(pool, {file.name: file for file in files})
        _DESCRIBED[key] = pool.FindServiceByName(target.service)
    return _DESCRIBED[key]


def _add(pool: descriptor_pool.DescriptorPool, files: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    """In the order that their imports ask for."""
    while files:
        ready = [name for name, file in files.items() if not set(file.dependency) & set(files)]
        assert ready, "files that import one another"
        for name in ready:
            pool.AddSerializedFile(files.pop(name).SerializeToString())


async def reflect(target: Target, version: str, request: Any) -> Any:
    async def one() -> AsyncIterator[Any]:
        yield request

    async with target.channel() as channel:
        send = channel.stream_stream(
            f"/{version}/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        async for answer in send(one(), timeout=LIMIT):
            return answer
    raise AssertionError(f"{version} answered nothing")


def as_json(**fields: object) -> str:
    return json.dumps(fields)
