"""Request rules: what each refuses, with which words, and what it lets pass."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

from services.gen.shop.catalog.v1 import catalog_pb2
from services.gen.shop.inventory.v1 import inventory_pb2
from services.gen.shop.orders.v1 import orders_pb2
from services.gen.shop.payments.v1 import payments_pb2
from services.gen.shop.rules.v1 import rules_pb2
from services.kit.rules import BadRule, compiled

MONEY = {"currency": "EUR", "minor": 100}
ITEM = {"product_id": "mug", "quantity": 1}
ORDER = {"key": "k", "customer_id": "c", "items": [ITEM], "payment_method": "tok_visa"}

CASES = [
    (catalog_pb2.GetProductRequest, {}, {"id": "is required"}),
    (catalog_pb2.GetProductRequest, {"id": "x" * 64}, {}),
    (catalog_pb2.GetProductRequest, {"id": "x" * 65}, {"id": "must have at most 64 characters, has 65"}),
    (catalog_pb2.GetProductRequest, {"id": "é" * 64}, {}),
    (catalog_pb2.ListProductsRequest, {}, {}),
    (catalog_pb2.ListProductsRequest, {"page_size": -1}, {"page_size": "must be at least 0, is -1"}),
    (catalog_pb2.ListProductsRequest, {"page_size": 101}, {"page_size": "must be at most 100, is 101"}),
    (catalog_pb2.BatchGetProductsRequest, {}, {"ids": "must have at least 1 items, has 0"}),
    (
        catalog_pb2.BatchGetProductsRequest,
        {"ids": ["a"] * 101},
        {"ids": "must have at most 100 items, has 101"},
    ),
    (
        catalog_pb2.BatchGetProductsRequest,
        {"ids": ["a", "b" * 65]},
        {"ids[1]": "must have at most 64 characters, has 65"},
    ),
    (catalog_pb2.CreateProductRequest, {}, {"product": "is required"}),
    (
        catalog_pb2.CreateProductRequest,
        {"product": {"id": "Mug"}},
        {
            "product.id": "must match [a-z0-9]([a-z0-9-]*[a-z0-9])?",
            "product.name": "is required",
            "product.price": "is required",
        },
    ),
    (
        catalog_pb2.CreateProductRequest,
        {
            "product": {
                "id": "mug",
                "name": "Mug",
                "price": {"currency": "euro", "minor": -1},
                "tags": ["a b"],
            }
        },
        {
            "product.price.currency": "must match [A-Z]{3}",
            "product.price.minor": "must be at least 0, is -1",
            "product.tags[0]": "must match [a-z0-9-]+",
        },
    ),
    (
        catalog_pb2.CreateProductRequest,
        {"product": {"id": "mug\n", "name": "Mug", "price": MONEY}},
        {"product.id": "must match [a-z0-9]([a-z0-9-]*[a-z0-9])?"},
    ),
    (inventory_pb2.SetStockRequest, {"product_id": "mug"}, {}),
    (payments_pb2.ChargeRequest, {"key": "k", "amount": MONEY, "payment_method": "tok_visa"}, {}),
    (
        payments_pb2.ChargeRequest,
        {"key": "k", "amount": MONEY, "payment_method": "4111 1111"},
        {"payment_method": "must match tok_[a-z0-9_]+"},
    ),
    (orders_pb2.PlaceOrderRequest, ORDER, {}),
    (
        orders_pb2.PlaceOrderRequest,
        ORDER | {"items": [ITEM, {"product_id": "mug"}]},
        {"items[1].quantity": "must be at least 1, is 0"},
    ),
    (
        orders_pb2.PlaceOrderRequest,
        ORDER | {"items": [{"quantity": 1001}]},
        {"items[0].product_id": "is required", "items[0].quantity": "must be at most 1000, is 1001"},
    ),
]


@pytest.mark.parametrize(("kind", "fields", "expected"), CASES)
def test_a_request_is_refused_for_exactly_the_rules_it_breaks(
    kind: type[Message], fields: dict[str, object], expected: dict[str, str]
) -> None:
    violations = compiled(kind.DESCRIPTOR)(kind(**fields))
    assert {v.field: v.description for v in violations} == expected


def declared(kind: int, label: int = 1, **rules: object) -> type[Message]:
    """A message with one field `it` of a type (FieldDescriptorProto.TYPE_*) with the given rules."""
    file = descriptor_pb2.FileDescriptorProto(name="it.proto", package="it", syntax="proto3")
    file.dependency.append("shop/rules/v1/rules.proto")
    field = file.message_type.add(name="It").field.add(name="it", number=1, type=kind, label=label)
    field.options.Extensions[rules_pb2.field].CopyFrom(rules_pb2.FieldRules(**rules))
    pool = descriptor_pool.DescriptorPool()
    for each in (descriptor_pb2.DESCRIPTOR, *rules_pb2.DESCRIPTOR.dependencies, rules_pb2.DESCRIPTOR, None):
        pool.AddSerializedFile(each.serialized_pb if each else file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("it.It"))


TEXT, NUMBER = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_INT32
REPEATED = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


def test_a_value_must_be_one_of_those_allowed() -> None:
    kind = declared(TEXT, **{"in": ["red", "blue"]})
    check = compiled(kind.DESCRIPTOR)
    assert check(kind(it="red")) == []
    assert [v.description for v in check(kind(it="green"))] == ["must be one of blue, red"]


def test_a_text_must_not_be_too_short_but_may_be_left_out() -> None:
    kind = declared(TEXT, min_length=3)
    check = compiled(kind.DESCRIPTOR)
    assert check(kind()) == []
    assert [v.description for v in check(kind(it="ab"))] == ["must have at least 3 characters, has 2"]


@pytest.mark.parametrize(
    ("kind", "label", "rules"),
    [
        (TEXT, 1, {"max": 3}),
        (NUMBER, 1, {"max_length": 3}),
        (TEXT, 1, {"max_items": 3}),
        (NUMBER, REPEATED, {"pattern": "a"}),
    ],
)
def test_a_rule_that_cannot_apply_stops_the_service(kind: int, label: int, rules: dict[str, object]) -> None:
    with pytest.raises(BadRule, match=r"it\.It\.it: the rule \w+ cannot apply"):
        compiled(declared(kind, label, **rules).DESCRIPTOR)
