"""What the fields of an operation work with."""

from dataclasses import dataclass, field

from strawberry.types import Info

from services.kit.app import App
from services.storefront.graphql.loading import Loaders
from services.storefront.shop import Shop


@dataclass
class Context:
    """One for each request or socket; `loaders` are one operation's, so that no operation sees another's answers."""

    app: App
    shop: Shop
    by_socket: bool
    loaders: Loaders = field(init=False)

    def __post_init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        self.loaders = Loaders(self.shop)


Asked = Info[Context, None]
