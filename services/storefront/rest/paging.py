"""A page of a list, as every list takes it."""

from typing import Annotated

from fastapi import Query

from services.gen.shop.catalog.v1.catalog_pb2 import ListProductsRequest
from services.storefront.rest.ruled import ruled

Size = Annotated[
    int,
    Query(description="The most to answer with", **ruled(ListProductsRequest, "page_size") | {"ge": 1}),
]
Token = Annotated[
    str,
    Query(
        description="next_page_token of the page before; empty for the first",
        **ruled(ListProductsRequest, "page_token"),
    ),
]
PAGE = 50
