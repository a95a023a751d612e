"""An API key: `shop_ID_SECRET`. Its secret is shown once, when it is made; kept is a hash of it.

The secret has 256 random bits, so that nobody can guess it, and a plain SHA-256 is as good as a slow hash:
https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html is about passwords, which people choose.
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from services.storefront.access.caller import Scope

_TEXT = re.compile(r"shop_([a-z0-9]{12})_([A-Za-z0-9_-]{43})")
_ID_BYTES, _SECRET_BYTES = 6, 32


@dataclass(frozen=True)
class ApiKey:
    """As it is kept. `customer` is the one it acts for, or ""; times are aware, None for never."""

    id: str
    hash: str
    name: str
    customer: str
    scopes: tuple[Scope, ...]
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None

    def valid(self, secret: str, now: datetime) -> bool:
        right = hmac.compare_digest(self.hash, hashed(secret))
        return right and self.revoked is None and (self.expires is None or now < self.expires)


def hashed(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def new(random: Callable[[int], bytes]) -> tuple[str, str]:
    """(id, secret), of so many random bytes."""
    secret = base64.urlsafe_b64encode(random(_SECRET_BYTES)).rstrip(b"=").decode()
    return random(_ID_BYTES).hex(), secret


def text(id_: str, secret: str) -> str:
    """What its owner gets."""
    return f"shop_{id_}_{secret}"


def read(said: str) -> tuple[str, str] | None:
    """(id, secret); None for what is no key."""
    found = _TEXT.fullmatch(said)
    return (found[1], found[2]) if found else None
