"""A product as the catalog thinks of it, free of transport and storage."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime


@dataclass(frozen=True)
class Product:
    """`price` in the currency's smallest unit."""

    id: str
    name: str
    description: str
    currency: str
    price: int
    tags: tuple[str, ...]
    created: datetime

    def same_as(self, other: "Product") -> bool:
        """Whether both say the same of the product; when each was created does not matter."""
        never = datetime.min.replace(tzinfo=UTC)
        return replace(self, created=never) == replace(other, created=never)
