"""Makes an API key where no staff can yet: `python -m services.storefront.keys NAME SCOPE... [--customer ID]`, in the pod, say by
`kubectl exec`. Prints the key's text once; DATABASE_URL says where keys are kept.
"""

import argparse
import asyncio
from datetime import UTC, datetime

from services.kit import settings
from services.kit.database import Database
from services.storefront.access.caller import Scope
from services.storefront.rest.keys import NewKey, made


async def main(wish: NewKey) -> None:
    database = Database(settings.from_environment("storefront").database_url)
    try:
        print((await made(database, wish, datetime.now(UTC))).text)
    finally:
        await database.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m services.storefront.keys", description="Make an API key."
    )
    parser.add_argument("name", help="who uses it, and for what")
    parser.add_argument("scopes", nargs="+", choices=[str(each) for each in Scope])
    parser.add_argument("--customer", default="", help="only this customer's orders")
    said = parser.parse_args()
    asyncio.run(main(NewKey(name=said.name, scopes=said.scopes, customer=said.customer)))
