"""Kafka as a broker.

Other languages find here what they must agree on:

    topic      events.<topic>; the key is the aggregate's, by which Kafka chooses a partition and keeps order; the header
               id has the event id. Whoever comes first creates it, with the cluster's default of partitions, replicas and
               days; one that exists is left as it is
    group      <durable>-<topic>; it begins with the oldest, and commits each message when it is done

Partitions are shared out among the processes of a group. A message that is tried again holds back its partition.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition, errors
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from structlog.typing import FilteringBoundLogger

from services.kit.events.broker import LIMIT, Message, Rejected, Unreachable
from services.kit.events.held import Held, held

PREFIX: Final = "events"
JOIN: Final = 10.0
"""Seconds to become a member of a group, which may have to find out first that another has died."""
SESSION: Final = 6.0
"""Seconds after which a member that is silent is taken for dead; no cluster lets it be less."""
LARGEST: Final = 1 << 28
"""Bytes. What a message may have is for the broker to say, not for its client."""
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # each try to connect again would be a line
_REJECTED = (errors.MessageSizeTooLargeError, errors.RecordTooLargeError, errors.InvalidTopicError)
_GONE = (errors.KafkaError, OSError, TimeoutError)


class Arrived:
    """A record, and how it is committed."""

    def __init__(self, consumer: AIOKafkaConsumer, record: Any) -> None:
        self._consumer = consumer
        self._record = record

    @property
    def body(self) -> bytes:
        body: bytes = self._record.value
        return body

    async def ack(self) -> None:
        partition = TopicPartition(self._record.topic, self._record.partition)
        await self._consumer.commit({partition: self._record.offset + 1})


class Kafka:
    """`url` is kafka://host:port, or several of them with commas between."""

    def __init__(self, url: str, log: FilteringBoundLogger) -> None:
        self._servers = urlsplit(url).netloc.split(",")
        self._log = log
        self._connecting = asyncio.Lock()
        self._producer: AIOKafkaProducer | None = None
        self._topics: set[str] = set()
        self._stopping: set[asyncio.Task[None]] = set()

    async def publish(self, message: Message) -> None:
        topic, about = f"{PREFIX}.{message.topic}", [("id", message.id.encode())]
        try:
            async with asyncio.timeout(LIMIT):
                producer = await self._producing(topic)
                await producer.send_and_wait(topic, message.body, key=message.key.encode(), headers=about)
        except _REJECTED as error:
            raise Rejected(str(error)) from error
        except _GONE as error:
            raise Unreachable(self._why(error)) from error

    @asynccontextmanager
    async def subscribe(self, topic: str, durable: str) -> AsyncIterator[AsyncIterator[Held]]:
        consumer = AIOKafkaConsumer(
            f"{PREFIX}.{topic}",
            bootstrap_servers=self._servers,
            group_id=f"{durable}-{topic}",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=int(SESSION * 1000),
            heartbeat_interval_ms=int(SESSION * 1000 / 3),
            retry_backoff_ms=100,
        )
        try:
            async with asyncio.timeout(JOIN):
                await self._ensure(f"{PREFIX}.{topic}")
                await consumer.start()
        except BaseException as error:
            await self._stop(consumer)
            if isinstance(error, _GONE):
                raise Unreachable(self._why(error)) from error
            raise
        async with aclosing(_messages(consumer)) as messages, aclosing(held(messages)) as deliveries:
            try:
                yield deliveries
            finally:
                await self._stop(consumer)

    async def close(self) -> None:
        if self._producer:
            await self._stop(self._producer)
        for task in self._stopping:
            task.cancel()
        if self._stopping:
            await asyncio.wait(self._stopping, timeout=LIMIT)

    async def _producing(self, topic: str) -> AIOKafkaProducer:
        async with self._connecting:
            await self._ensure(topic)
            if self._producer is None:
                producer = AIOKafkaProducer(
                    bootstrap_servers=self._servers,
                    acks="all",
                    request_timeout_ms=int(LIMIT * 1000),
                    retry_backoff_ms=50,
                    max_request_size=LARGEST,
                )
                try:
                    await producer.start()
                except BaseException:
                    await self._stop(producer)
                    raise
                self._producer = producer
            return self._producer

    async def _ensure(self, topic: str) -> None:
        """That the topic exists."""
        if topic in self._topics:
            return
        admin = AIOKafkaAdminClient(bootstrap_servers=self._servers, request_timeout_ms=int(LIMIT * 1000))
        try:
            await admin.start()
            await admin.create_topics([NewTopic(topic, -1, -1, replica_assignments={})])
        finally:
            with suppress(*_GONE):
                await admin.close()
        self._topics.add(topic)

    async def _stop(self, client: AIOKafkaConsumer | AIOKafkaProducer) -> None:
        """Leaves the group, where the cluster answers. A client that is stopped while it does not answers to no
        cancellation, so it is not waited for; it ends when the cluster is back."""
        task = asyncio.create_task(client.stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopped)
        await asyncio.wait({task}, timeout=LIMIT)

    def _stopped(self, task: asyncio.Task[None]) -> None:
        self._stopping.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._log.debug("a client of Kafka did not stop well", reason=repr(error))

    def _why(self, error: BaseException) -> str:
        return f"kafka://{','.join(self._servers)}: {error or 'no answer'}"


async def _messages(consumer: AIOKafkaConsumer) -> AsyncGenerator[Arrived, None]:
    """Raises Unreachable."""
    while True:
        try:
            yield Arrived(consumer, await consumer.getone())
        except _GONE as error:
            raise Unreachable(str(error)) from error
