"""What the generated contracts say about methods."""

import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from services.gen.shop.orders.v1 import orders_pb2
from services.gen.shop.payments.v1 import payments_pb2
from services.kit.contract import contract_of, to_json, to_yaml

ORDERS = contract_of(orders_pb2.DESCRIPTOR.services_by_name["OrdersService"])
PAYMENTS = contract_of(payments_pb2.DESCRIPTOR.services_by_name["PaymentsService"])


def test_only_methods_that_say_so_may_be_repeated() -> None:
    assert {method.name: method.idempotent for method in PAYMENTS.methods} == {
        "Charge": False,
        "Refund": True,
        "GetCharge": True,
        "ListCharges": True,
    }


def test_the_charts_get_each_method_with_its_timeout() -> None:
    assert to_yaml(ORDERS).splitlines()[1:] == [
        "service: shop.orders.v1.OrdersService",
        "methods:",
        "  - {name: PlaceOrder, idempotent: false, timeout: 5s, callers: [customer], cost: 20, personal: true}",
        "  - {name: ReturnOrder, idempotent: false, timeout: 5s, callers: [customer], cost: 20, personal: true}",
        "  - {name: GetOrder, idempotent: true, timeout: 2s, callers: [customer, staff], cost: 1, personal: true}",
        "  - {name: WatchOrder, idempotent: true, timeout: 300s, streams: true, callers: [customer], cost: 5, personal: true}",
        "  - {name: ListOrders, idempotent: true, timeout: 3s, callers: [customer, staff], cost: 5, personal: true}",
        "  - {name: ListSagas, idempotent: true, timeout: 3s, callers: [operator], cost: 5}",
        "  - {name: RetrySaga, idempotent: true, timeout: 3s, callers: [operator], cost: 1}",
        "  - {name: CompensateSaga, idempotent: true, timeout: 3s, callers: [operator], cost: 1}",
    ]
    assert to_json(ORDERS)["methods"][0]["path"] == "/shop.orders.v1.OrdersService/PlaceOrder"


def test_a_method_without_a_timeout_is_refused_with_the_line_to_add() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="forgetful.proto", package="forgetful")
    file.message_type.add(name="Nothing")
    file.service.add(name="It").method.add(
        name="Do", input_type="forgetful.Nothing", output_type="forgetful.Nothing"
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    with pytest.raises(ValueError, match=r"forgetful\.It\.Do has no timeout; add to its proto: option"):
        contract_of(pool.FindServiceByName("forgetful.It"))
