"""RabbitMQ as a broker.

Other languages find here what they must agree on:

    exchange   events, direct and durable; the routing key is the topic, message_id the event id
    queue      events.<durable>.<topic>, quorum, single active consumer; acknowledged one by one, one out at a time.
               Whoever comes first creates it. Limits of size are the operator's, by policy
    unheard    what is published before anybody subscribed to its topic goes to events.unheard, the alternate exchange,
               and waits in events.unheard.<topic>. The first to subscribe hears it first
    dead       what was delivered a hundred times (its consumers die over it) or is seven days old goes to events.dead,
               for people
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Final

import aio_pika
from aio_pika import DeliveryMode, ExchangeType, exceptions
from aio_pika.abc import (
    AbstractChannel,
    AbstractConnection,
    AbstractExchange,
    AbstractIncomingMessage,
    AbstractQueue,
)
from pamqp.common import FieldValue
from structlog.typing import FilteringBoundLogger

from services.kit.events.broker import LIMIT, Message, Rejected, Unreachable, without_password
from services.kit.events.held import Held, held

EXCHANGE: Final = "events"
UNHEARD: Final = "events.unheard"
DEAD: Final = "events.dead"
KEPT: Final = 7 * 24 * 3600 * 1000
HEARTBEAT: Final = 5  # seconds; a consumer that is frozen for twice as long is taken for dead
ALONE: Final = 65536
"""Bytes. What is larger may be too large, which closes its channel for all that is sent beside it."""
_QUORUM: Final[dict[str, FieldValue]] = {"x-queue-type": "quorum"}
_QUEUE: Final[dict[str, FieldValue]] = _QUORUM | {
    "x-single-active-consumer": True,
    "x-delivery-limit": 100,
    "x-message-ttl": KEPT,
    "x-dead-letter-exchange": DEAD,
}
logging.getLogger("aiormq").setLevel(logging.CRITICAL)  # what it says, our own log says too
_GONE = (exceptions.AMQPError, RuntimeError, OSError, TimeoutError)  # RuntimeError: a channel that was closed


class RabbitMq:
    """`url` is amqp://user:password@host:port/vhost, or amqps://."""

    def __init__(self, url: str, log: FilteringBoundLogger) -> None:
        self._url = url
        self._log = log
        self._connecting = asyncio.Lock()
        self._connection: AbstractConnection | None = None
        self._publishing: tuple[AbstractChannel, AbstractExchange] | None = None
        self._topics: set[str] = set()

    async def publish(self, message: Message) -> None:
        try:
            async with asyncio.timeout(LIMIT):
                exchange = await self._exchange(message.topic)
                if len(message.body) <= ALONE:
                    await _send(exchange, message)
                else:
                    await self._send_alone(message)
        except exceptions.ChannelPreconditionFailed as error:
            raise Rejected(str(error)) from error
        except _GONE as error:
            self._topics.discard(message.topic)
            raise Unreachable(self._why(error)) from error

    @asynccontextmanager
    async def subscribe(self, topic: str, durable: str) -> AsyncIterator[AsyncIterator[Held]]:
        channel: AbstractChannel | None = None
        try:
            async with asyncio.timeout(2 * LIMIT):
                channel = await (await self._connected()).channel(on_return_raises=True)
                queue, unheard = await _subscription(channel, topic, durable)
        except _GONE as error:
            await _close(channel)
            raise Unreachable(self._why(error)) from error
        messages = aclosing(_messages(channel, queue, unheard))
        async with messages as incoming, aclosing(held(incoming)) as deliveries:
            try:
                yield deliveries
            finally:
                await _close(channel)  # what was not acknowledged is delivered again

    async def close(self) -> None:
        if self._connection:
            await _close(self._connection)

    async def _connected(self) -> AbstractConnection:
        async with self._connecting:
            if self._connection is None or not self._connection.connected.is_set():
                self._connection = await aio_pika.connect(self._url, timeout=LIMIT, heartbeat=HEARTBEAT)
            return self._connection

    async def _exchange(self, topic: str) -> AbstractExchange:
        """On a channel that is open, with a queue for what nobody hears yet."""
        connection = await self._connected()
        async with self._connecting:
            if self._publishing is None or self._publishing[0].is_closed:
                channel = await connection.channel(on_return_raises=True)
                self._publishing = channel, await _exchange(channel)
                self._topics.clear()
            channel, exchange = self._publishing
            if topic not in self._topics:
                await _unheard(channel, topic)
                self._topics.add(topic)
            return exchange

    async def _send_alone(self, message: Message) -> None:
        """On a channel of its own, which the server closes when this is too large."""
        async with await (await self._connected()).channel(on_return_raises=True) as channel:
            await _send(await _exchange(channel), message)

    def _why(self, error: BaseException) -> str:
        return f"{without_password(self._url)}: {error or 'no answer'}"


async def _send(exchange: AbstractExchange, message: Message) -> None:
    """Returns once a quorum has it. One that no queue gets comes back, as an error."""
    about = aio_pika.Message(message.body, message_id=message.id, delivery_mode=DeliveryMode.PERSISTENT)
    await exchange.publish(about, message.topic)


async def _exchange(channel: AbstractChannel) -> AbstractExchange:
    await channel.declare_exchange(UNHEARD, ExchangeType.DIRECT, durable=True)
    otherwise: dict[str, FieldValue] = {"alternate-exchange": UNHEARD}
    return await channel.declare_exchange(EXCHANGE, ExchangeType.DIRECT, durable=True, arguments=otherwise)


async def _unheard(channel: AbstractChannel, topic: str) -> AbstractQueue:
    queue = await channel.declare_queue(f"{UNHEARD}.{topic}", durable=True, arguments=_QUORUM)
    await queue.bind(UNHEARD, topic)
    return queue


async def _subscription(
    channel: AbstractChannel, topic: str, durable: str
) -> tuple[AbstractQueue, AbstractQueue]:
    """The subscription's queue, and the one of what came before anybody had subscribed."""
    await channel.set_qos(prefetch_count=1)
    await _exchange(channel)
    dead = await channel.declare_exchange(DEAD, ExchangeType.FANOUT, durable=True)
    await (await channel.declare_queue(DEAD, durable=True, arguments=_QUORUM)).bind(dead)
    unheard = await _unheard(channel, topic)
    queue = await channel.declare_queue(f"{EXCHANGE}.{durable}.{topic}", durable=True, arguments=_QUEUE)
    await queue.bind(EXCHANGE, topic)
    return queue, unheard


async def _messages(
    channel: AbstractChannel, queue: AbstractQueue, unheard: AbstractQueue
) -> AsyncGenerator[AbstractIncomingMessage, None]:
    """First what nobody has heard, which is read by one process at a time; then what comes. Raises Unreachable."""
    try:
        reading = await channel.declare_queue(f"{unheard.name}.reading", exclusive=True, timeout=LIMIT)
        while message := await unheard.get(fail=False, timeout=LIMIT):
            yield message
        await reading.delete(timeout=LIMIT)
        async with queue.iterator() as messages:
            async for message in messages:
                yield message
    except _GONE as error:
        raise Unreachable(str(error)) from error
    raise Unreachable("the channel was closed")


async def _close(what: AbstractChannel | AbstractConnection | None) -> None:
    if what and not what.is_closed:
        with suppress(*_GONE):
            async with asyncio.timeout(LIMIT):
                await what.close()
