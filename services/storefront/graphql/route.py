"""Where GraphQL is: /graphql, over HTTP and over sockets, loaded with the first request."""

import asyncio
from collections.abc import Callable

from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from services.kit.app import App
from services.storefront.access.gate import Gate
from services.storefront.shop import Shop

PATH = "/graphql"


def routes(app: App, shop: Shop, gate: Gate, domain: str) -> list[BaseRoute]:
    def load() -> ASGIApp:
        from services.storefront.graphql.schema import View

        return View(app, shop, gate, domain)

    later = Later(load)
    http = Route(PATH, later, methods=["GET", "POST"], include_in_schema=False)
    later.route = http
    return [http, WebSocketRoute(PATH, later)]


class Later:
    """An application that is loaded, in a thread, when it is first asked; all who ask meanwhile wait for it."""

    def __init__(self, load: Callable[[], ASGIApp]) -> None:
        self._load = load
        self._loading: asyncio.Task[ASGIApp] | None = None
        self.route: Route | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["route"] = self.route  # under which the request is recorded
        if self._loading is None:
            self._loading = asyncio.create_task(asyncio.to_thread(self._load), name="load graphql")
        loaded = await asyncio.shield(self._loading)
        await loaded(scope, receive, send)
