"""API keys, made and revoked by staff; the text of one is answered once, when it is made."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.kit.database import Database
from services.kit.errors import NotFound
from services.storefront.access import key as keys
from services.storefront.access import store
from services.storefront.access.caller import Scope
from services.storefront.access.key import ApiKey
from services.storefront.rest.who import Who


class NewKey(BaseModel):
    """What a key is for."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=100, description="Who uses it, and for what")]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=len(Scope))]
    customer: Annotated[
        str, Field(max_length=64, description="Only this customer's orders; everybody's when left out")
    ] = ""
    expire_time: AwareDatetime | None = None


class Key(BaseModel):
    """A key, without its secret."""

    id: str
    name: str
    customer: str
    scopes: list[Scope]
    create_time: AwareDatetime
    expire_time: AwareDatetime | None
    revoke_time: AwareDatetime | None

    @classmethod
    def of(cls, key: ApiKey) -> "Key":
        return cls(
            id=key.id,
            name=key.name,
            customer=key.customer,
            scopes=list(key.scopes),
            create_time=key.created,
            expire_time=key.expires,
            revoke_time=key.revoked,
        )


class MadeKey(BaseModel):
    """A key as it was made. Keep `text`: nobody can tell it again."""

    key: Key
    text: str = Field(description="Goes into the header x-api-key")


class Keys(BaseModel):
    """All keys, the newest first."""

    keys: list[Key]


async def made(database: Database, wish: NewKey, now: datetime) -> MadeKey:
    """Also what `python -m services.storefront.keys` does."""
    id_, secret = keys.new(os.urandom)
    scopes = tuple(dict.fromkeys(wish.scopes))
    key = ApiKey(id_, keys.hashed(secret), wish.name, wish.customer, scopes, now, wish.expire_time)
    async with database.write() as connection:
        await store.add(connection, key)
    return MadeKey(key=Key.of(key), text=keys.text(id_, secret))


def routes(database: Database, now: Callable[[], datetime], who: Who) -> APIRouter:
    router = APIRouter(prefix="/v1/keys")

    @router.post("", status_code=201, summary="Make an API key", dependencies=[who.may(Scope.KEYS)])
    async def make_key(wish: NewKey) -> MadeKey:
        return await made(database, wish, now())

    @router.get("", summary="All API keys", dependencies=[who.may(Scope.KEYS)])
    async def list_keys() -> Keys:
        async with database.read() as connection:
            return Keys(keys=list(map(Key.of, await store.everyone(connection))))

    @router.delete(
        "/{id}", status_code=204, summary="Revoke an API key, at once", dependencies=[who.may(Scope.KEYS)]
    )
    async def revoke_key(id: Annotated[str, Path(max_length=12)]) -> Response:  # noqa: A002
        async with database.write() as connection:
            if not await store.revoke(connection, id, now()):
                raise NotFound("ERROR_REASON_KEY_NOT_FOUND", f"there is no key {id!r}", key_id=id)
        return Response(status_code=204)

    return router
