"""The calls that an operator makes to orders. Output: sagas as lines of JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

import grpc
from google.protobuf.json_format import MessageToJson

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.gen.shop.orders.v1.orders_pb2_grpc import OrdersServiceStub

LIMIT = 5.0
PAGE = 100


class CallRefused(Exception):
    """The text says with what status and why."""


def lines(address: str, do: str, ids: Sequence[str], stuck: bool) -> Iterator[str]:
    """`do`: list, retry or compensate. Raises CallRefused."""
    with grpc.insecure_channel(address) as channel:
        stub: Any = OrdersServiceStub(channel)
        try:
            for saga in _listed(stub, stuck) if do == "list" else _changed(stub, do, ids):
                yield MessageToJson(saga, indent=None)
        except grpc.RpcError as error:
            told: Any = error
            raise CallRefused(f"{told.code().name}: {told.details()}") from None


def _changed(stub: Any, do: str, ids: Sequence[str]) -> Iterator[pb.Saga]:
    for each in ids:
        if do == "retry":
            yield stub.RetrySaga(pb.RetrySagaRequest(id=each), timeout=LIMIT).saga
        else:
            yield stub.CompensateSaga(pb.CompensateSagaRequest(id=each), timeout=LIMIT).saga


def _listed(stub: Any, stuck: bool) -> Iterator[pb.Saga]:
    token = ""
    while True:
        request = pb.ListSagasRequest(stuck=stuck, page_size=PAGE, page_token=token)
        page = stub.ListSagas(request, timeout=LIMIT)
        yield from page.sagas
        token = page.next_page_token
        if not token:
            return
