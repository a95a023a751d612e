"""The methods of orders that are for operators: sagas that do not come to their end by themselves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from services.gen.shop.orders.v1 import orders_pb2 as pb
from services.kit.database import Database
from services.kit.saga import operating
from services.kit.saga import store as sagas
from services.kit.saga.definition import Definition
from services.kit.saga.machine import Phase
from services.kit.saga.store import Saga
from services.orders import store

PAGE = 50
DIRECTIONS = {Phase.FORWARD: pb.SAGA_DIRECTION_FORWARD, Phase.UNDO: pb.SAGA_DIRECTION_BACK}


@dataclass(frozen=True)
class Operating:
    """Part of the servicer; the contract says what each method does."""

    database: Database
    definitions: Mapping[str, Definition]
    now: Callable[[], datetime]

    async def ListSagas(self, request: pb.ListSagasRequest, context: Any) -> pb.ListSagasResponse:
        size = request.page_size or PAGE
        async with self.database.read() as connection:
            found = await sagas.page(connection, request.page_token, size + 1, request.stuck)
            messages = await self._messages(connection, found[:size])
        more = found[size - 1].id if len(found) > size else ""
        return pb.ListSagasResponse(sagas=messages, next_page_token=more)

    async def RetrySaga(self, request: pb.RetrySagaRequest, context: Any) -> pb.RetrySagaResponse:
        async with self.database.write() as connection:
            saga = await operating.retry(connection, request.id, self.now())
            (message,) = await self._messages(connection, [saga])
        return pb.RetrySagaResponse(saga=message)

    async def CompensateSaga(
        self, request: pb.CompensateSagaRequest, context: Any
    ) -> pb.CompensateSagaResponse:
        async with self.database.write() as connection:
            saga = await operating.compensate(connection, self.definitions, request.id, self.now())
            (message,) = await self._messages(connection, [saga])
        return pb.CompensateSagaResponse(saga=message)

    async def _messages(self, connection: AsyncConnection, found: Sequence[Saga]) -> list[pb.Saga]:
        returned = await store.orders_of_returns(connection, [saga.id for saga in found])
        return [self._message(saga, returned.get(saga.id, saga.id)) for saga in found]

    def _message(self, saga: Saga, order: str) -> pb.Saga:
        message = pb.Saga(
            id=saga.id,
            kind=saga.kind,
            order_id=order,
            direction=DIRECTIONS[saga.state.phase],
            step=self.definitions[saga.kind].steps[saga.state.step].name,
            attempts=saga.attempts,
            stuck=saga.stuck,
            error=saga.error,
            owner=saga.owner,
        )
        if saga.due:
            message.due_time.FromDatetime(saga.due)
        return message
