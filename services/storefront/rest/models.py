"""What REST answers with and takes: the contracts' messages as JSON, fields named as there, enums without their prefix."""

from datetime import UTC
from typing import Annotated

from google.protobuf.timestamp_pb2 import Timestamp
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.gen.shop.catalog.v1 import catalog_pb2
from services.gen.shop.inventory.v1 import inventory_pb2
from services.gen.shop.money.v1 import money_pb2
from services.gen.shop.orders.v1 import orders_pb2
from services.storefront.parts import Missing
from services.storefront.rest.ruled import ruled

MOST = 2**53 - 1
"""The largest whole number that every reader of JSON reads as it is."""


class Money(BaseModel):
    """An amount, exact: 1999 minor units of EUR are 19.99 euros."""

    currency: str
    minor: int

    @classmethod
    def of(cls, message: money_pb2.Money) -> "Money":
        return cls(currency=message.currency, minor=message.minor)


class Product(BaseModel):
    """Something the shop sells."""

    id: str
    name: str
    description: str
    price: Money
    tags: list[str]

    @classmethod
    def of(cls, message: catalog_pb2.Product) -> "Product":
        return cls(
            id=message.id,
            name=message.name,
            description=message.description,
            price=Money.of(message.price),
            tags=list(message.tags),
        )


class Products(BaseModel):
    """A page of products, by id."""

    products: list[Product]
    next_page_token: str = Field(description="Ask with it for the next page; empty on the last")


class Stock(BaseModel):
    """How many of a product there are."""

    product_id: str
    on_hand: int
    reserved: int
    available: int

    @classmethod
    def of(cls, message: inventory_pb2.Stock) -> "Stock":
        return cls(
            product_id=message.product_id,
            on_hand=message.on_hand,
            reserved=message.reserved,
            available=message.available,
        )


class Stocks(BaseModel):
    """A page of stock, by product."""

    stock: list[Stock]
    next_page_token: str


class MissingPart(BaseModel):
    """A part of an answer that could not be had; the rest is as it is."""

    part: str
    code: str = Field(description="gRPC's name of why")
    reason: str

    @classmethod
    def of(cls, missing: Missing) -> "MissingPart":
        return cls(part=missing.part, code=missing.code, reason=missing.reason)


class ProductPage(BaseModel):
    """A product with what belongs to it."""

    product: Product
    stock: Stock | None = Field(description="null when it was never set, or is missing")
    recommendations: list[str] | None = Field(
        description="Ids of what goes with it, the best first; null when the shop has none to give, or it is missing"
    )
    missing: list[MissingPart]


class NewProduct(BaseModel):
    """Something to sell from now on."""

    model_config = ConfigDict(extra="forbid")

    id: Annotated[str, Field(**ruled(catalog_pb2.Product, "id"))]
    name: Annotated[str, Field(**ruled(catalog_pb2.Product, "name"))]
    description: Annotated[str, Field(**ruled(catalog_pb2.Product, "description"))] = ""
    price: "Price"
    tags: Annotated[list[str], Field(**ruled(catalog_pb2.Product, "tags"))] = []


class Price(BaseModel):
    """An amount in minor units: 1999 of EUR are 19.99 euros."""

    model_config = ConfigDict(extra="forbid")

    currency: Annotated[str, Field(**ruled(money_pb2.Money, "currency"))]
    minor: Annotated[int, Field(strict=True, **ruled(money_pb2.Money, "minor") | {"le": MOST})]


class Count(BaseModel):
    """How many are on the shelves."""

    model_config = ConfigDict(extra="forbid")

    on_hand: Annotated[int, Field(strict=True, **ruled(inventory_pb2.SetStockRequest, "on_hand"))]


class Item(BaseModel):
    """So many of a product."""

    model_config = ConfigDict(extra="forbid")

    product_id: Annotated[str, Field(**ruled(orders_pb2.OrderItem, "product_id"))]
    quantity: Annotated[int, Field(strict=True, **ruled(orders_pb2.OrderItem, "quantity"))]


class NewOrder(BaseModel):
    """What to order, and for whom: the caller itself when it is a customer."""

    model_config = ConfigDict(extra="forbid")

    customer_id: Annotated[
        str, Field(**ruled(orders_pb2.PlaceOrderRequest, "customer_id") | {"min_length": 0})
    ] = ""
    items: Annotated[list[Item], Field(**ruled(orders_pb2.PlaceOrderRequest, "items"))]
    payment_method: Annotated[str, Field(**ruled(orders_pb2.PlaceOrderRequest, "payment_method"))]


class Line(BaseModel):
    """So many of a product, at the price of the moment the order was placed."""

    product_id: str
    quantity: int
    unit_price: Money


class Failure(BaseModel):
    """Why an order was cancelled."""

    reason: str
    message: str


class Order(BaseModel):
    """An order. `state` is PLACING, CONFIRMED, CANCELLING, CANCELLED, RETURNING or RETURNED."""

    id: str
    key: str
    customer_id: str
    lines: list[Line]
    total: Money
    state: str
    failure: Failure | None
    create_time: AwareDatetime

    @classmethod
    def of(cls, message: orders_pb2.Order) -> "Order":
        lines = [
            Line(product_id=each.product_id, quantity=each.quantity, unit_price=Money.of(each.unit_price))
            for each in message.lines
        ]
        return cls(
            id=message.id,
            key=message.key,
            customer_id=message.customer_id,
            lines=lines,
            total=Money.of(message.total),
            state=state(message),
            failure=failure(message),
            create_time=_time(message.create_time),
        )


class Orders(BaseModel):
    """A page of orders, newest first."""

    orders: list[Order]
    next_page_token: str


class Placing(BaseModel):
    """An order that is not decided yet, or whose return is not; its events tell the rest."""

    id: str
    state: str = "PLACING"


def state(message: orders_pb2.Order) -> str:
    return orders_pb2.OrderState.Name(message.state).removeprefix("ORDER_STATE_")


def failure(message: orders_pb2.Order) -> Failure | None:
    if not message.HasField("failure"):
        return None
    reason = orders_pb2.ErrorReason.Name(message.failure.reason)
    return Failure(reason=reason, message=message.failure.message)


def _time(message: Timestamp) -> AwareDatetime:
    return message.ToDatetime(tzinfo=UTC)
