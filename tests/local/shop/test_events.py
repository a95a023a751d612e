"""What an order does is told to the broker, through sidecars; and nobody else gets to the broker."""

from __future__ import annotations

import json
import socket
import urllib.request
import uuid

from tests.local.project import Project, until
from tests.scenarios.local import Local


def ports(shop: Local, app: str) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = json.loads(
        shop.pods(app)[0]["metadata"]["annotations"]["meshwright.dev/ports"]
    )
    return found


def told(shop: Local) -> int:
    """How many events the broker has been told, by its own count."""
    at = ports(shop, "broker")["application"]["8222"]
    with urllib.request.urlopen(f"http://127.0.0.1:{at}/jsz?streams=1", timeout=5) as answer:
        accounts = json.load(answer).get("account_details", ())
    return sum(
        int(stream["state"]["last_seq"]) for each in accounts for stream in each.get("stream_detail", ())
    )


def test_an_orders_two_events_get_to_the_broker(folder: Project, shop: Local) -> None:
    before = told(shop)
    order = {
        "key": uuid.uuid4().hex,
        "customerId": "ada",
        "items": [{"productId": "mug", "quantity": 1}],
        "paymentMethod": "tok_visa",
    }
    assert folder.mesh("call", "orders", "PlaceOrder", json.dumps(order)).code == 0
    until(lambda: told(shop) == before + 2, "placed and confirmed are told", 10)


def pinged(shop: Local, workload: str) -> bytes:
    """What the broker answers a workload's PING with. It speaks first, before Envoy looks at who is there: that is no answer yet."""
    at = ports(shop, workload)["outbound"]["broker.shop.svc.cluster.local:4222"]
    with socket.create_connection(("127.0.0.1", at), timeout=5) as connection:
        connection.sendall(b"CONNECT {}\r\nPING\r\n")
        said = b""
        while b"PONG" not in said and (more := connection.recv(4096)):
            said += more
    return said.splitlines()[-1] if said else b""


def test_the_broker_answers_those_who_publish_or_consume_only(shop: Local) -> None:
    assert pinged(shop, "orders") == b"PONG"
    assert pinged(shop, "ingress") != b"PONG"
