"""What can be asked for, done and followed."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry
from grpc import StatusCode

from services.gen.shop.catalog.v1 import catalog_pb2 as catalog
from services.gen.shop.orders.v1 import orders_pb2 as orders
from services.gen.shop.recommendations.v1 import recommendations_pb2 as recommendations
from services.kit.errors import CallFailed, Unavailable
from services.kit.http import streaming
from services.storefront.access.caller import Scope
from services.storefront.graphql.context import Asked
from services.storefront.graphql.types import Order, Orders, Product, Products, Recommendation, known
from services.storefront.watching import LONGEST, watched

PAGE = 20
FEW = 5


@strawberry.type(description="What can be asked for.")
class Query:
    @strawberry.field(description="One product; null when there is none")
    async def product(self, info: Asked, id: strawberry.ID) -> Product | None:  # noqa: A002
        return await known(info, id)

    @strawberry.field(description="All products, a page at a time")
    async def products(
        self, info: Asked, page_size: int = PAGE, page_token: str = "", tag: str = ""
    ) -> Products | None:
        request = catalog.ListProductsRequest(page_size=page_size, page_token=page_token, tag=tag)
        found = await info.context.shop.catalog.ListProducts(request)
        for each in found.products:
            info.context.loaders.products.prime(each.id, each)
        return Products(products=list(map(Product.of, found.products)), next_page_token=found.next_page_token)

    @strawberry.field(description="What goes with these products, the best first; null when nobody can say")
    async def recommendations(
        self, info: Asked, product_ids: list[strawberry.ID], limit: int = FEW
    ) -> list[Recommendation] | None:
        leaf = info.context.shop.recommendations
        if leaf is None:
            raise Unavailable("ERROR_REASON_NO_RECOMMENDATIONS", "this shop has no recommendations")
        request = recommendations.ListRecommendationsRequest(product_ids=product_ids, limit=limit)
        return list(map(Recommendation.of, (await leaf.ListRecommendations(request)).recommendations))

    @strawberry.field(description="One order; null when there is none")
    async def order(self, info: Asked, id: strawberry.ID) -> Order | None:  # noqa: A002
        caller = await info.context.may(Scope.ORDERS_READ)
        try:
            found = (await info.context.shop.orders.GetOrder(orders.GetOrderRequest(id=id))).order
        except CallFailed as error:
            if error.code is StatusCode.NOT_FOUND:
                return None
            raise
        return Order.of(found) if caller.customer in ("", found.customer_id) else None

    @strawberry.field(description="Orders, newest first, a page at a time")
    async def orders(
        self, info: Asked, customer_id: str = "", page_size: int = PAGE, page_token: str = ""
    ) -> Orders | None:
        whose = (await info.context.may(Scope.ORDERS_READ)).lists_of(customer_id)
        request = orders.ListOrdersRequest(customer_id=whose, page_size=page_size, page_token=page_token)
        found = await info.context.shop.orders.ListOrders(request)
        return Orders(orders=list(map(Order.of, found.orders)), next_page_token=found.next_page_token)


@strawberry.input(description="So many of a product.")
class ItemInput:
    product_id: strawberry.ID
    quantity: int


@strawberry.input(description="What to order, for whom, under which key.")
class OrderInput:
    key: str = strawberry.field(
        description="New for each order that is meant; the same key is the same order"
    )
    items: list[ItemInput]
    payment_method: str
    customer_id: strawberry.ID = strawberry.field(
        default=strawberry.ID(""), description="The caller itself when it is a customer"
    )


@strawberry.type(description="What can be done.")
class Mutation:
    @strawberry.mutation(description="Places an order; the same again is the same order")
    async def place_order(self, info: Asked, order: OrderInput) -> Order | None:
        customer = (await info.context.may(Scope.ORDERS_WRITE)).orders_for(order.customer_id)
        request = orders.PlaceOrderRequest(
            key=order.key, customer_id=customer, payment_method=order.payment_method
        )
        for item in order.items:
            request.items.add(product_id=item.product_id, quantity=item.quantity)
        return Order.of((await info.context.shop.orders.PlaceOrder(request)).order)

    @strawberry.mutation(description="Gives a confirmed order back; the same key again is the same return")
    async def return_order(self, info: Asked, id: strawberry.ID, key: str) -> Order | None:  # noqa: A002
        caller, shop = await info.context.may(Scope.ORDERS_WRITE), info.context.shop
        caller.sees((await shop.orders.GetOrder(orders.GetOrderRequest(id=id))).order.customer_id, id)
        request = orders.ReturnOrderRequest(key=key, order_id=id)
        return Order.of((await shop.orders.ReturnOrder(request)).order)


@strawberry.type(description="What can be followed.")
class Subscription:
    @strawberry.subscription(description="An order as it is now, and after each change until it is decided")
    async def order(self, info: Asked, id: strawberry.ID) -> AsyncGenerator[Order, None]:  # noqa: A002
        caller = await info.context.may(Scope.ORDERS_READ)
        streaming.lasting(LONGEST)
        async with aclosing(watched(info.context.shop, id)) as states:
            async for each in states:
                caller.sees(each.customer_id, id)
                info.context.renew()
                yield Order.of(each)
