"""NATS JetStream as a broker.

Other languages find here what they must agree on:

    stream     EVENTS, of the subjects events.>; files, kept for seven days. Whoever comes first creates it; one that
               exists is left as it is, so that a cluster may have its own with replicas
    subject    events.<topic>, such as events.order
    message    Nats-Msg-Id is the event id: within two minutes the server keeps a message once
    consumer   durable, pull, <durable>-<topic>; acknowledged one by one, at most one out at a time, for ever
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import nats
from nats import errors
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js import errors as js_errors
from nats.js.api import AckPolicy, ConsumerConfig, DiscardPolicy, Header, StorageType, StreamConfig
from structlog.typing import FilteringBoundLogger

from services.kit.events.broker import HOLD, LIMIT, Message, Rejected, Unreachable, without_password

STREAM: Final = "EVENTS"
PREFIX: Final = "events"
KEPT: Final = 7 * 24 * 3600.0
DUPLICATES: Final = 120.0
RECONNECT: Final = 0.2
FETCH: Final = 2.0  # seconds a fetch waits; one that was lost with its connection is made again after that
_REJECTED = (
    js_errors.BadRequestError,
    errors.MaxPayloadError,
    errors.BadSubjectError,
    errors.BadHeaderError,
)


class Delivered:
    """A message of JetStream as a Delivery."""

    def __init__(self, message: Msg) -> None:
        self._message = message

    @property
    def body(self) -> bytes:
        return self._message.data

    async def ack(self) -> None:
        try:
            await self._message.ack()
        except (errors.Error, OSError) as error:
            raise Unreachable(str(error)) from error

    async def retry(self, seconds: float) -> None:
        try:
            await self._message.nak(delay=seconds)
        except (errors.Error, OSError) as error:
            raise Unreachable(str(error)) from error


class Nats:
    """`url` is nats://host:port, with user:password@ where the server wants it, or tls://."""

    def __init__(self, url: str, log: FilteringBoundLogger) -> None:
        self._url = url
        self._log = log
        self._connecting = asyncio.Lock()
        self._client: Client | None = None

    async def publish(self, message: Message) -> None:
        jetstream = await self._jetstream()
        headers = {Header.MSG_ID.value: message.id}
        try:
            await jetstream.publish(
                f"{PREFIX}.{message.topic}", message.body, timeout=LIMIT, stream=STREAM, headers=headers
            )
        except _REJECTED as error:
            raise Rejected(str(error)) from error
        except js_errors.NoStreamResponseError as error:
            await self._add_stream(jetstream)
            raise Unreachable("the stream was not there") from error
        except (errors.Error, OSError) as error:
            raise Unreachable(str(error)) from error

    @asynccontextmanager
    async def subscribe(self, topic: str, durable: str) -> AsyncIterator[AsyncIterator[Delivered]]:
        jetstream = await self._jetstream()
        consumer = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=HOLD, max_ack_pending=1)
        try:
            subscription = await jetstream.pull_subscribe(
                f"{PREFIX}.{topic}", durable=f"{durable}-{topic}", stream=STREAM, config=consumer
            )
        except js_errors.NotFoundError as error:
            await self._add_stream(jetstream)
            raise Unreachable("the stream was not there") from error
        except (errors.Error, OSError) as error:
            raise Unreachable(str(error)) from error
        try:
            yield _deliveries(subscription)
        finally:
            with suppress(errors.Error, OSError):
                await subscription.unsubscribe()

    async def close(self) -> None:
        """What was sent is flushed where the server still listens."""
        if self._client:
            with suppress(errors.Error, OSError):
                await asyncio.wait_for(self._client.flush(), LIMIT)
            await self._client.close()

    async def _jetstream(self) -> JetStreamContext:
        async with self._connecting:
            if self._client is None:
                self._client = await self._connect()
        return self._client.jetstream(timeout=LIMIT)

    async def _connect(self) -> Client:
        """Only the first connection is made here; the client makes the next itself, for as long as it takes."""
        try:
            async with asyncio.timeout(LIMIT):
                client = await nats.connect(
                    self._url,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=RECONNECT,
                    error_cb=self._failed,
                    disconnected_cb=self._disconnected,
                    reconnected_cb=self._reconnected,
                )
                await self._add_stream(client.jetstream(timeout=LIMIT))
        except (errors.Error, OSError, TimeoutError) as error:
            raise Unreachable(f"no answer from {without_password(self._url)}") from error
        return client

    async def _add_stream(self, jetstream: JetStreamContext) -> None:
        config = StreamConfig(
            name=STREAM,
            subjects=[f"{PREFIX}.>"],
            max_age=KEPT,
            storage=StorageType.FILE,
            discard=DiscardPolicy.NEW,  # a full stream refuses: what is not yet consumed is never thrown away
            duplicate_window=DUPLICATES,
        )
        try:
            await jetstream.stream_info(STREAM)
        except js_errors.NotFoundError:
            with suppress(js_errors.BadRequestError):  # another process has added it meanwhile
                await jetstream.add_stream(config)

    async def _failed(self, error: Exception) -> None:
        self._log.debug("broker", reason=repr(error))

    async def _disconnected(self) -> None:
        if self._client and not self._client.is_closed:
            self._log.warning("the broker is gone")

    async def _reconnected(self) -> None:
        self._log.info("the broker is back")


async def _deliveries(subscription: JetStreamContext.PullSubscription) -> AsyncIterator[Delivered]:
    while True:
        try:
            messages = await subscription.fetch(1, timeout=FETCH)
        except TimeoutError:  # nothing new
            continue
        except (errors.Error, OSError) as error:
            raise Unreachable(str(error)) from error
        for message in messages:
            yield Delivered(message)
