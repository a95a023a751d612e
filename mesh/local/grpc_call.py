"""One gRPC call by reflection: the method found, the request read as JSON, the answer and its error details written as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

Metadata = Sequence[tuple[str, str]]
_DETAILS = error_details_pb2.DESCRIPTOR.message_types_by_name
_NOT_FOUND = 5
_INVALID = 3
_BORING = ("grpc.reflection.", "grpc.health.")


@dataclass(frozen=True)
class Answer:
    """``code`` is the gRPC status; ``messages`` the answers as JSON; ``error`` what to show when it is not OK."""

    code: int
    messages: tuple[str, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    error: str = ""


def call(
    address: str, method: str, request: str, metadata: Metadata, timeout: float, described: str = ""
) -> Answer:
    """Call a method of whatever serves at ``address``. Raises nothing: what goes wrong is an Answer with a status.

    ``described`` is where reflection is asked, when that is another place: who may call a method may not always ask for its description.
    """
    with grpc.insecure_channel(address) as channel, grpc.insecure_channel(described or address) as other:
        try:
            pool, found = _find(other, method)
            message = json_format.Parse(request, _class(found.input_type)(), descriptor_pool=pool)
            return _send(channel, found, message, metadata, timeout)
        except grpc.RpcError as error:
            return _failed(error)
        except json_format.ParseError as error:
            return Answer(_INVALID, error=f"INVALID_ARGUMENT: the request does not fit {method}: {error}")
        except LookupError as error:
            return Answer(_NOT_FOUND, error=f"NOT_FOUND: {error.args[0]}")


def _find(channel: grpc.Channel, method: str) -> tuple[descriptor_pool.DescriptorPool, MethodDescriptor]:
    """``PlaceOrder`` in any service, or ``shop.orders.v1.OrdersService/PlaceOrder``."""
    pool, known = reflected(channel)
    wanted, _, name = method.lstrip("/").rpartition("/")
    services = [s for s in known if wanted in ("", s)]
    for service in sorted(services, key=lambda s: s.startswith(_BORING)):
        descriptor = pool.FindServiceByName(service)
        if name in descriptor.methods_by_name:
            return pool, descriptor.methods_by_name[name]
    offered = [
        f"{s}/{m}"
        for s in services
        if not s.startswith(_BORING)
        for m in pool.FindServiceByName(s).methods_by_name
    ]
    raise LookupError(f"no method {method} here; there are: {', '.join(offered)}")


def reflected(channel: grpc.Channel) -> tuple[descriptor_pool.DescriptorPool, list[str]]:
    """What serves there, and the names of its services. Raises grpc.RpcError."""
    database = ProtoReflectionDescriptorDatabase(grpc.intercept_channel(channel, _ToTheEnd()))
    return descriptor_pool.DescriptorPool(database), list(database.get_services())


class _ToTheEnd(grpc.StreamStreamClientInterceptor):
    """Reads all of an answer. The library leaves after the first message, which a proxy counts as a caller that gave up."""

    def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
        return iter(tuple(continuation(details, requests)))


def _class(descriptor: Any) -> type[Message]:
    found: type[Message] = message_factory.GetMessageClass(descriptor)
    return found


def _send(
    channel: grpc.Channel, method: MethodDescriptor, request: Message, metadata: Metadata, timeout: float
) -> Answer:
    path = f"/{method.containing_service.full_name}/{method.name}"
    answer_class = _class(method.output_type)
    kind: Any = channel.unary_stream if method.server_streaming else channel.unary_unary
    stub = kind(
        path,
        request_serializer=lambda m: m.SerializeToString(),
        response_deserializer=answer_class.FromString,
    )
    if method.server_streaming:
        stream = stub(request, metadata=metadata, timeout=timeout)
        messages = tuple(_shown(m) for m in stream)
        return Answer(0, messages, _text(stream.initial_metadata()))
    answer, made = stub.with_call(request, metadata=metadata, timeout=timeout)
    return Answer(0, (_shown(answer),), _text(made.initial_metadata()))


def _shown(message: Message) -> str:
    return json_format.MessageToJson(message, always_print_fields_with_no_presence=True)


def _text(metadata: Any) -> tuple[tuple[str, str], ...]:
    return tuple((k, v if isinstance(v, str) else repr(v)) for k, v in metadata or ())


def _failed(error: Any) -> Answer:
    code: grpc.StatusCode = error.code()
    lines = [f"{code.name}: {error.details()}", *_details(error)]
    told = [*(error.initial_metadata() or ()), *(error.trailing_metadata() or ())]
    readable = _text((key, value) for key, value in told if not key.endswith("-bin"))
    return Answer(int(code.value[0]), metadata=readable, error="\n".join(lines))


def _details(error: Any) -> list[str]:
    """google.rpc details, one JSON line each."""
    packed = dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
    if not packed:
        return []
    status = status_pb2.Status.FromString(packed)
    return [
        json_format.MessageToJson(d, indent=None)
        for d in status.details
        if d.TypeName().split(".")[-1] in _DETAILS
    ]
