"""Callers by method at the ingress: no token, bad ones, good ones of each role, and API keys, whole and revoked."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.envoy.jwt.tokens import Issuer, unsigned
from tests.scenarios.engine import Engine
from tests.scenarios.web import Answer, ask

READERS = ("ingress", "storefront")
MINE, STRANGER = Issuer(), Issuer()
CLAIMS = {"iss": "https://tokens.shop.example", "aud": "shop"}
ADA = {**CLAIMS, "sub": "ada", "role": "customer"}
STAFF = {**CLAIMS, "sub": "boss", "role": "staff"}
ORDERS, STOCK, KEYS, PRODUCTS = "GET /v1/orders", "PUT /v1/stock/mug", "GET /v1/keys", "GET /v1/products"

BAD = {
    "expired": (MINE.token(ADA, lives=-3600), 401),
    "of another audience": (MINE.token({**ADA, "aud": "another"}), 403),
    "of another issuer": (MINE.token({**ADA, "iss": "https://elsewhere.example"}), 401),
    "signed by another key": (STRANGER.token(ADA), 401),
    "not signed": (unsigned(ADA), 401),
    "no token at all": ("nonsense", 401),
}
#: What each may, method by method; guests may order in development, which scenarios run in.
GOOD = {
    "nobody": ({}, {PRODUCTS: 200, ORDERS: 200, STOCK: 401, KEYS: 401}),
    "somebody who says he is staff": (
        {"x-token-subject": "boss", "x-token-role": "staff"},
        {PRODUCTS: 200, ORDERS: 200, STOCK: 401, KEYS: 401},
    ),
    "a customer": (ADA, {PRODUCTS: 200, ORDERS: 200, STOCK: 403, KEYS: 403}),
    "a customer who says he is staff": (ADA, {STOCK: 403, KEYS: 403}),
    "one of a role that nobody knows": ({**ADA, "role": "root"}, {PRODUCTS: 200, ORDERS: 403, STOCK: 403}),
    "staff": (STAFF, {PRODUCTS: 200, ORDERS: 200, KEYS: 200}),
}


def bearer(claims: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {MINE.token(claims)}"}


@pytest.fixture(scope="module")
def trusting(running: Engine) -> Iterator[Engine]:
    """The shop accepts our tokens for as long as these tests last."""
    before = {name: running.get("RequestAuthentication", name)["spec"] for name in READERS}
    for name in READERS:
        running.edit("RequestAuthentication", name, trust)
    running._undo.clear()  # it is put back here, after all of these
    yield running
    for name in READERS:
        running._replace("RequestAuthentication", name, before[name])


def trust(spec: dict[str, Any]) -> None:
    spec["jwtRules"][0]["jwks"] = MINE.keys


def does(engine: Engine, what: str, headers: dict[str, str]) -> Answer:
    verb, _, path = what.partition(" ")
    return ask(engine, verb, path, headers, {"on_hand": 1000} if verb == "PUT" else None)


@pytest.mark.parametrize("bad", BAD)
def test_a_bad_token_opens_nothing_not_even_what_is_open(trusting: Engine, bad: str) -> None:
    token, status = BAD[bad]
    for what in (PRODUCTS, ORDERS, STOCK, KEYS):
        assert does(trusting, what, {"authorization": f"Bearer {token}"}).status == status, what


@pytest.mark.parametrize("who", GOOD)
def test_each_may_what_its_role_says(trusting: Engine, who: str) -> None:
    claims, wanted = GOOD[who]
    headers = dict(claims) if "iss" not in claims else bearer(claims)
    if who == "a customer who says he is staff":
        headers["x-token-role"] = "staff"
    assert {what: does(trusting, what, headers).status for what in wanted} == wanted


def test_a_customer_sees_its_own_orders_only(trusting: Engine) -> None:
    mine, other = ({**ADA, "sub": uuid.uuid4().hex} for _ in range(2))
    wish = {"items": [{"product_id": "mug", "quantity": 1}], "payment_method": "tok_visa"}
    key = {"idempotency-key": uuid.uuid4().hex}
    placed = ask(trusting, "POST", "/v1/orders", bearer(mine) | key, wish)
    assert placed.status == 201, placed
    where = f"/v1/orders/{placed.body['id']}"
    assert ask(trusting, "GET", where, bearer(mine)).body["customer_id"] == mine["sub"]
    assert ask(trusting, "GET", where, bearer(other)).status == 404
    assert ask(trusting, "GET", "/v1/orders", bearer(other)).body["orders"] == []
    assert ask(trusting, "GET", where, bearer(STAFF)).status == 200


def test_a_key_of_staffs_making_is_good_until_it_is_revoked(trusting: Engine) -> None:
    made = ask(trusting, "POST", "/v1/keys", bearer(STAFF), {"name": "till", "scopes": ["stock:write"]})
    assert made.status == 201, made
    header = {"x-api-key": made.body["text"]}
    assert does(trusting, STOCK, header).status == 200
    assert does(trusting, ORDERS, header).status == 403
    gone = ask(trusting, "DELETE", f"/v1/keys/{made.body['key']['id']}", bearer(STAFF))
    assert gone.status == 204
    assert does(trusting, STOCK, header).status == 401
    assert does(trusting, PRODUCTS, header).status == 200, "who asks does not matter there"


def spent(engine: Engine, headers: dict[str, str]) -> Answer:
    """The answer to the first of many orders, none of which is right in form, that is refused for being too many."""
    for _ in range(200):
        answer = ask(engine, "POST", "/v1/orders", headers, {})
        if answer.status != 400:
            return answer
    raise AssertionError("200 orders in a row were let through")


def test_a_client_that_asks_for_too_much_is_told_to_wait_and_others_are_not(trusting: Engine) -> None:
    """Ten orders at once are what a token or a key has; then it gets two a second."""
    greedy, modest = ({**ADA, "sub": uuid.uuid4().hex} for _ in range(2))
    assert spent(trusting, bearer(greedy)).status == 429
    assert does(trusting, ORDERS, bearer(modest)).status == 200
    assert does(trusting, PRODUCTS, {}).status == 200
    made = ask(trusting, "POST", "/v1/keys", bearer(STAFF), {"name": "till", "scopes": ["orders:write"]})
    assert spent(trusting, {"x-api-key": made.body["text"]}).status == 429


def test_calls_of_grpc_cost_what_their_contract_says(trusting: Engine) -> None:
    key = {"x-api-key": uuid.uuid4().hex}
    codes = trusting.at("ingress").calls(100, "orders", "PlaceOrder", {}, key).codes()
    assert set(codes) == {"INVALID_ARGUMENT", "RESOURCE_EXHAUSTED"}
    assert trusting.at("ingress").call("catalog", "ListProducts").ok


def test_without_a_key_of_the_issuer_no_token_is_good(engine: Engine) -> None:
    for name in READERS:
        engine.edit(
            "RequestAuthentication", name, lambda spec: spec["jwtRules"][0].update(jwks=STRANGER.keys)
        )
    assert does(engine, PRODUCTS, bearer(ADA)).status == 401
