"""What the shop asks of a message broker, whichever it is.

Used by relay, which publishes, and consumer, which subscribes. A broker delivers at least once, and to one durable
subscription one message at a time, in the order they were published: the next comes when the one before is
acknowledged. So order holds however often a message is tried again, and however many processes share a subscription.
Some brokers promise it to the messages of one key only, and give those of others to other processes meanwhile.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol
from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from services.kit.settings import BadSetting

HOLD = 6.0
"""Seconds after which a message that was neither acknowledged nor given back is delivered again."""
LIMIT = 2.0
"""Seconds for each request to a broker."""


class Unreachable(Exception):
    """The broker cannot be reached, or has no room now. Whether a message arrived is unknown; try again."""


class Rejected(Exception):
    """The broker will not take this message, however often it is tried."""


BROKERS: Mapping[str, tuple[str, str]] = {
    "nats": ("nats", "Nats"),
    "tls": ("nats", "Nats"),
    "amqp": ("rabbitmq", "RabbitMq"),
    "amqps": ("rabbitmq", "RabbitMq"),
    "kafka": ("kafka", "Kafka"),
}
"""The scheme of an EVENTS_URL to the module beside this one and its class. The module of a broker that needs more than the
`shop` extra has the name of the extra."""


@dataclass(frozen=True)
class Message:
    """`topic` is the kind of aggregate, `key` the aggregate, by which brokers that must be told keep order. The same
    `id` again is the same message, which a broker may see or not."""

    topic: str
    key: str
    id: str
    body: bytes


class Delivery(Protocol):
    """A message that was delivered, perhaps not for the first time. Raises Unreachable: it will come again."""

    @property
    def body(self) -> bytes: ...

    async def ack(self) -> None:
        """Done with it."""
        ...

    async def retry(self, seconds: float) -> None:
        """Gives it back, to be delivered again that much later."""
        ...


class Broker(Protocol):
    """Connects when it is first used, and again when the connection is lost. Each call is bounded in time."""

    async def publish(self, message: Message) -> None:
        """Returns once the broker has kept it. Raises Unreachable, Rejected."""
        ...

    def subscribe(self, topic: str, durable: str) -> AbstractAsyncContextManager[AsyncIterator[Delivery]]:
        """What is published to `topic`, from the oldest that the broker still has, or where the last process with this
        `durable` name left off. A broker of queues has what nobody has heard yet, and keeps the rest for whoever has
        subscribed. Entering and iterating raise Unreachable; enter again."""
        ...

    async def close(self) -> None: ...


def open_broker(url: str, log: FilteringBoundLogger) -> Broker:
    """The broker of an EVENTS_URL, not yet connected; its client library is imported here. Raises BadSetting."""
    scheme = urlsplit(url).scheme
    if scheme not in BROKERS:
        known = ", ".join(f"{name}://" for name in sorted(BROKERS))
        raise BadSetting(f"EVENTS_URL begins with {scheme}://: use one of {known}")
    module, name = BROKERS[scheme]
    try:
        client: Callable[[str, FilteringBoundLogger], Broker] = getattr(
            import_module(f"services.kit.events.{module}"), name
        )
    except ModuleNotFoundError as error:
        raise BadSetting(
            f"EVENTS_URL begins with {scheme}://, for which {error.name} is not installed: pip install meshwright[{module}]"
        ) from error
    return client(url, log)


def without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"
