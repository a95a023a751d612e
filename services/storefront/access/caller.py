"""Who calls, as plain data, and the rules of what that one may do.

Input: claims that the sidecar has read from a valid token, or an API key's row. Output: a `Caller`, asked by REST and GraphQL.

    role or key        scopes                                          whose orders
    customer           orders:read, orders:write                       its own
    staff              orders:read, catalog:write, stock:write, keys   anybody's
    API key            those that it was given                         its customer's, or anybody's when it has none
    guest              orders:read, orders:write                       anybody's: in development only
    nobody             none
"""

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from services.kit.errors import Forbidden, InvalidRequest, NotFound, Unauthenticated, Violation


class Scope(enum.StrEnum):
    """What may be done, one by one."""

    ORDERS_READ = "orders:read"
    ORDERS_WRITE = "orders:write"
    CATALOG_WRITE = "catalog:write"
    STOCK_WRITE = "stock:write"
    KEYS = "keys"


ROLES = {
    "customer": frozenset({Scope.ORDERS_READ, Scope.ORDERS_WRITE}),
    "staff": frozenset({Scope.ORDERS_READ, Scope.CATALOG_WRITE, Scope.STOCK_WRITE, Scope.KEYS}),
}


@dataclass(frozen=True)
class Caller:
    """`name` is for logs and records; `customer` is the one whose orders it sees, or "" for everybody's."""

    name: str
    customer: str
    scopes: frozenset[Scope]

    def may(self, scope: Scope) -> None:
        """Raises Unauthenticated for nobody and guests, Forbidden for somebody who is known."""
        if scope in self.scopes:
            return
        if self in (NOBODY, GUEST):
            raise Unauthenticated(
                "ERROR_REASON_UNAUTHENTICATED", "this needs a token or an API key", scope=scope
            )
        raise Forbidden(
            "ERROR_REASON_SCOPE_MISSING", f"{self.name} may not do this: it needs {scope}", scope=scope
        )

    def orders_for(self, asked: str) -> str:
        """The customer to place an order for. Raises Forbidden, and InvalidRequest when nobody is said."""
        customer = asked or self.customer
        if not customer:
            raise InvalidRequest([Violation("customer_id", "say whose order it is")])
        self._only_own(customer)
        return customer

    def lists_of(self, asked: str) -> str:
        """The customer whose orders to list; "" for all. Raises Forbidden."""
        if asked:
            self._only_own(asked)
        return asked or self.customer

    def sees(self, customer: str, order: str) -> None:
        """Raises NotFound, as for an order that does not exist: another's is nobody's business."""
        if self.customer and customer != self.customer:
            raise NotFound("ERROR_REASON_ORDER_NOT_FOUND", f"no order has the id {order!r}", order_id=order)

    def _only_own(self, customer: str) -> None:
        if self.customer and customer != self.customer:
            raise Forbidden("ERROR_REASON_NOT_OWN", f"{self.name} may not act for {customer!r}")


NOBODY = Caller("nobody", "", frozenset())
GUEST = Caller("guest", "", ROLES["customer"])


def of_token(subject: str, role: str) -> Caller:
    """Of a valid token. Raises Forbidden for a role that the shop does not know."""
    scopes = ROLES.get(role or "customer")
    if scopes is None:
        raise Forbidden("ERROR_REASON_ROLE_UNKNOWN", f"the shop knows no role {role!r}", role=role)
    return Caller(f"{role or 'customer'} {subject}", "" if role == "staff" else subject, scopes)


def of_key(id_: str, customer: str, scopes: Iterable[str]) -> Caller:
    return Caller(f"key {id_}", customer, frozenset(map(Scope, scopes)))
