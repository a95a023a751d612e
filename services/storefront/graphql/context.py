"""What the fields of an operation work with."""

from dataclasses import dataclass, field

from strawberry.types import Info

from services.kit.app import App
from services.kit.call import CURRENT
from services.storefront.access.caller import Caller, Scope
from services.storefront.access.gate import Gate
from services.storefront.graphql.loading import Loaders
from services.storefront.shop import Shop


@dataclass
class Context:
    """One for each request or socket; `loaders` are one operation's, so that no operation sees another's answers."""

    app: App
    shop: Shop
    gate: Gate
    by_socket: bool
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.loaders = Loaders(self.shop)

    async def may(self, scope: Scope) -> Caller:
        """Who calls. Raises Unauthenticated and Forbidden."""
        call = CURRENT.get()
        caller = await self.gate.caller(call.headers if call else {})
        caller.may(scope)
        return caller


Asked = Info[Context, None]
