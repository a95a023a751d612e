"""API keys in the database of the storefront. Input and output: `ApiKey`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.kit.database import aware
from services.storefront.access.caller import Scope
from services.storefront.access.key import ApiKey
from services.storefront.access.tables import KEYS


async def get(connection: AsyncConnection, id_: str) -> ApiKey | None:
    row = (await connection.execute(select(KEYS).where(KEYS.c.id == id_))).first()
    return _key(row) if row else None


async def everyone(connection: AsyncConnection) -> Sequence[ApiKey]:
    """The newest first, revoked ones too."""
    rows = await connection.execute(select(KEYS).order_by(KEYS.c.create_time.desc(), KEYS.c.id))
    return [_key(row) for row in rows]


async def add(connection: AsyncConnection, key: ApiKey) -> None:
    row = {
        "id": key.id,
        "hash": key.hash,
        "name": key.name,
        "customer": key.customer,
        "scopes": " ".join(key.scopes),
        "create_time": key.created,
        "expire_time": key.expires,
    }
    await connection.execute(insert(KEYS).values(row))


async def revoke(connection: AsyncConnection, id_: str, now: datetime) -> bool:
    """False when there is no such key. One that is revoked stays so since the first time."""
    known = await get(connection, id_)
    if known and known.revoked is None:
        await connection.execute(update(KEYS).where(KEYS.c.id == id_).values(revoke_time=now))
    return known is not None


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        row.id,
        row.hash,
        row.name,
        row.customer,
        tuple(map(Scope, row.scopes.split())),
        aware(row.create_time),
        aware(row.expire_time) if row.expire_time else None,
        aware(row.revoke_time) if row.revoke_time else None,
    )
