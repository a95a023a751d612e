"""What GraphQL answers with: the contracts' messages, joined where an id leads from one to another.

A field that leads to another service may be null, so that the rest of an answer survives its absence.
"""

import enum
from datetime import UTC, datetime
from typing import NewType

import strawberry

from services.gen.shop.catalog.v1 import catalog_pb2
from services.gen.shop.inventory.v1 import inventory_pb2
from services.gen.shop.money.v1 import money_pb2
from services.gen.shop.orders.v1 import orders_pb2
from services.gen.shop.recommendations.v1 import recommendations_pb2
from services.storefront.graphql.context import Asked
from services.storefront.rest import models

BigInt = NewType("BigInt", int)
"""GraphQL's own Int has 32 bits."""


@strawberry.type(description="An amount, exact: 1999 minor units of EUR are 19.99 euros.")
class Money:
    currency: str
    minor: BigInt

    @classmethod
    def of(cls, message: money_pb2.Money) -> "Money":
        return cls(currency=message.currency, minor=BigInt(message.minor))


@strawberry.type(description="How many of a product there are.")
class Stock:
    on_hand: int
    reserved: int
    available: int

    @classmethod
    def of(cls, message: inventory_pb2.Stock) -> "Stock":
        return cls(on_hand=message.on_hand, reserved=message.reserved, available=message.available)


@strawberry.type(description="Something the shop sells.")
class Product:
    id: strawberry.ID
    name: str
    description: str
    price: Money
    tags: list[str]

    @classmethod
    def of(cls, message: catalog_pb2.Product) -> "Product":
        return cls(
            id=strawberry.ID(message.id),
            name=message.name,
            description=message.description,
            price=Money.of(message.price),
            tags=list(message.tags),
        )

    @strawberry.field(description="null when it was never set, or cannot be had")
    async def stock(self, info: Asked) -> Stock | None:
        found = await info.context.loaders.stock.load(self.id)
        return Stock.of(found) if found else None


@strawberry.type(description="A page of products, by id.")
class Products:
    products: list[Product]
    next_page_token: str = strawberry.field(description="Ask with it for the next page; empty on the last")


@strawberry.type(description="A product that goes with others.")
class Recommendation:
    product_id: strawberry.ID
    orders: int = strawberry.field(description="In how many orders they were bought together")

    @classmethod
    def of(cls, message: recommendations_pb2.Recommendation) -> "Recommendation":
        return cls(product_id=strawberry.ID(message.product_id), orders=message.orders)

    @strawberry.field(description="null when the catalog no longer has it, or cannot be had")
    async def product(self, info: Asked) -> Product | None:
        return await known(info, self.product_id)


@strawberry.type(description="So many of a product, at the price of the moment the order was placed.")
class Line:
    product_id: strawberry.ID
    quantity: int
    unit_price: Money

    @strawberry.field(description="null when the catalog no longer has it, or cannot be had")
    async def product(self, info: Asked) -> Product | None:
        return await known(info, self.product_id)


async def known(info: Asked, product: str) -> Product | None:
    found = await info.context.loaders.products.load(product)
    return Product.of(found) if found else None


@strawberry.enum(description="Where an order stands.")
class OrderState(enum.Enum):
    PLACING = orders_pb2.ORDER_STATE_PLACING
    CONFIRMED = orders_pb2.ORDER_STATE_CONFIRMED
    CANCELLING = orders_pb2.ORDER_STATE_CANCELLING
    CANCELLED = orders_pb2.ORDER_STATE_CANCELLED
    RETURNING = orders_pb2.ORDER_STATE_RETURNING
    RETURNED = orders_pb2.ORDER_STATE_RETURNED


@strawberry.type(description="Why an order was cancelled.")
class Failure:
    reason: str
    message: str


@strawberry.type(description="An order.")
class Order:
    id: strawberry.ID
    customer_id: strawberry.ID
    lines: list[Line]
    total: Money
    state: OrderState
    failure: Failure | None
    create_time: datetime

    @classmethod
    def of(cls, message: orders_pb2.Order) -> "Order":
        lines = [
            Line(
                product_id=strawberry.ID(each.product_id),
                quantity=each.quantity,
                unit_price=Money.of(each.unit_price),
            )
            for each in message.lines
        ]
        failure = models.failure(message)
        return cls(
            id=strawberry.ID(message.id),
            customer_id=strawberry.ID(message.customer_id),
            lines=lines,
            total=Money.of(message.total),
            state=OrderState(message.state),
            failure=Failure(reason=failure.reason, message=failure.message) if failure else None,
            create_time=message.create_time.ToDatetime(tzinfo=UTC),
        )


@strawberry.type(description="A page of orders, newest first.")
class Orders:
    orders: list[Order]
    next_page_token: str
