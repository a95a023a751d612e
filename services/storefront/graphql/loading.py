"""What one operation asks several times at one level becomes one call: the loaders, made anew for each operation.

Input: ids, asked for by the fields of a level. Output: catalog's BatchGetProducts and inventory's BatchGetStock, each once a level.
"""

from collections.abc import Sequence
from functools import cached_property

from strawberry.dataloader import DataLoader

from services.gen.shop.catalog.v1 import catalog_pb2 as catalog
from services.gen.shop.inventory.v1 import inventory_pb2 as inventory
from services.storefront.shop import Shop

MOST = 100  # ids that one call takes


class Loaders:
    """None for an id that the service does not know. Raises CallFailed where the call fails, from each field that asked."""

    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    @cached_property
    def products(self) -> DataLoader[str, catalog.Product | None]:
        return DataLoader(load_fn=self._products, max_batch_size=MOST)

    @cached_property
    def stock(self) -> DataLoader[str, inventory.Stock | None]:
        return DataLoader(load_fn=self._stock, max_batch_size=MOST)

    async def _products(self, ids: list[str]) -> Sequence[catalog.Product | None]:
        found = await self._shop.catalog.BatchGetProducts(catalog.BatchGetProductsRequest(ids=ids))
        by_id = {product.id: product for product in found.products}
        return [by_id.get(each) for each in ids]

    async def _stock(self, ids: list[str]) -> Sequence[inventory.Stock | None]:
        found = await self._shop.inventory.BatchGetStock(inventory.BatchGetStockRequest(product_ids=ids))
        by_id = {stock.product_id: stock for stock in found.stock}
        return [by_id.get(each) for each in ids]
