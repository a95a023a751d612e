"""How work with events is named in traces. Used by relay and consumer.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/
"""

from functools import cache

from services.kit.telemetry import Kind, Work


@cache
def work(operation: str, topic: str, kind: Kind) -> Work:
    """`operation` is publish or process; there are few topics."""
    destination = f"events.{topic}"
    attributes = (("messaging.operation.name", operation), ("messaging.destination.name", destination))
    return Work(f"{operation} {destination}", kind, attributes)
