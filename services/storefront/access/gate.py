"""A request's headers -> the Caller.

The sidecar reads tokens (RequestAuthentication), refuses those that are not valid, takes from every request the headers below that came
from outside, and sets them from a valid token's claims. Nobody but the ingress may call (AuthorizationPolicy), so that what stands in
them is what the mesh has read. API keys are ours to read.

    x-token-subject, x-token-role    by the sidecar, of a valid token
    x-api-key                        by the caller
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from services.kit.database import Database
from services.kit.errors import Unauthenticated
from services.storefront.access import key as keys
from services.storefront.access import store
from services.storefront.access.caller import GUEST, NOBODY, Caller, of_key, of_token

SUBJECT, ROLE, KEY = "x-token-subject", "x-token-role", "x-api-key"


@dataclass(frozen=True)
class Gate:
    """`guests`: whoever brings neither may order under any name, as in development."""

    database: Database
    now: Callable[[], datetime]
    guests: bool

    async def caller(self, headers: Mapping[str, str]) -> Caller:
        """Raises Unauthenticated for a key that is not valid, Forbidden for a role that is not known."""
        if subject := headers.get(SUBJECT):
            return of_token(subject, headers.get(ROLE, ""))
        if said := headers.get(KEY):
            return await self._of_key(said)
        return GUEST if self.guests else NOBODY

    async def _of_key(self, said: str) -> Caller:
        if parts := keys.read(said):
            id_, secret = parts
            async with self.database.read() as connection:
                known = await store.get(connection, id_)
            if known and known.valid(secret, self.now()):
                return of_key(known.id, known.customer, known.scopes)
        raise Unauthenticated("ERROR_REASON_KEY_INVALID", "the API key is not known, expired or revoked")
