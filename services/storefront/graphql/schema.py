"""The schema, its limits, and its errors: what REST answers as a problem stands in the extensions of a GraphQL error.

{"message": "...", "path": ["order", "lines", 0, "product"],
 "extensions": {"status": 503, "reason": "ERROR_REASON_UPSTREAM_FAILED", "domain": "shop.rules.v1", "trace_id": "...", ...}}
"""

import json
from collections.abc import Iterator
from typing import Any

import strawberry
from graphql import GraphQLError
from starlette.requests import Request
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.extensions import (
    AddValidationRules,
    MaxAliasesLimiter,
    MaxTokensLimiter,
    QueryDepthLimiter,
    SchemaExtension,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionContext
from strawberry.types.scalar import ScalarDefinition

from services.kit.app import App
from services.kit.call import CURRENT
from services.kit.http import streaming
from services.kit.http.boundary import report
from services.storefront.access.gate import Gate
from services.storefront.graphql.context import Context
from services.storefront.graphql.cost import CostLimit
from services.storefront.graphql.operations import Mutation, Query, Subscription
from services.storefront.graphql.types import BigInt
from services.storefront.shop import Shop

DEPTH = 8
TOKENS = 2000
ALIASES = 20
SUBSCRIPTIONS = 20  # of one socket
SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(name="BigInt", serialize=int, parse_value=int)
}
MASKED = ("title", "type")


class Schema(strawberry.Schema):
    """One that says why, as problems do, and logs what is our own fault."""

    def __init__(self, app: App, domain: str) -> None:
        super().__init__(
            Query,
            Mutation,
            Subscription,
            config=StrawberryConfig(scalar_map=SCALARS),
            extensions=[
                Fresh,
                lambda: QueryDepthLimiter(DEPTH),
                lambda: MaxTokensLimiter(TOKENS),
                lambda: MaxAliasesLimiter(ALIASES),
                lambda: AddValidationRules([CostLimit]),
            ],
        )
        self._app = app
        self._domain = domain

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        call = CURRENT.get()
        for error in errors:
            # What GraphQL itself says of a request, such as that a variable is missing, stands as it is.
            if (
                call
                and isinstance(error.original_error, Exception)
                and not isinstance(error.original_error, GraphQLError)
            ):
                told = report(error.original_error, call, self._app, self._domain)
                error.message = told.detail
                error.extensions = {k: v for k, v in told.members.items() if k not in MASKED}


class Fresh(SchemaExtension):
    """Each operation has loaders of its own, and one that came by a socket a deadline of its own, too."""

    def on_operation(self) -> Iterator[None]:
        context = self.execution_context.context
        context.renew()
        if context.by_socket:
            streaming.lasting(context.app.settings.request)
        yield


class View(GraphQL[Context, None]):
    """The schema over HTTP (POST, and GET for queries) and over sockets (graphql-transport-ws)."""

    def __init__(self, app: App, shop: Shop, gate: Gate, domain: str) -> None:
        super().__init__(
            Schema(app, domain),
            graphql_ide=None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL,),
            max_subscriptions_per_connection=SUBSCRIPTIONS,
            allowed_origins=app.settings.cors_origins,
        )
        self._app = app
        self._shop = shop
        self._gate = gate

    def decode_json(self, data: str | bytes) -> object:
        """An object. Strawberry answers one kind of what is no JSON; there are more, and brackets in brackets without end."""
        try:
            found = super().decode_json(data)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise json.JSONDecodeError("no JSON object", "", 0)
        return found

    async def get_context(self, request: Request | WebSocket, response: Any) -> Context:
        return Context(self._app, self._shop, self._gate, isinstance(request, WebSocket))
