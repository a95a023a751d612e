"""Whatever is sent, right in form or wrong, nobody gets a 5xx, and every answer is one that the OpenAPI document knows."""

import json
from typing import Any

import httpx
import pytest
import schemathesis
from graphql import GraphQLSchema, build_client_schema, get_introspection_query
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import from_schema
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.services.storefront.conftest import Storefront

pytestmark = pytest.mark.xdist_group("shop")
CHECKS = [
    not_a_server_error,
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
]
CUSTOMER = {"x-token-subject": "fuzz", "x-token-role": "customer"}
STAFF = {"x-token-subject": "fuzz", "x-token-role": "staff"}
FEW = settings(
    max_examples=12,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    ("GET", "/v1/products"),
    ("POST", "/v1/products"),
    ("GET", "/v1/products/{id}"),
    ("GET", "/v1/stock"),
    ("GET", "/v1/stock/{product_id}"),
    ("PUT", "/v1/stock/{product_id}"),
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/orders/{id}"),
    ("POST", "/v1/orders/{id}/return"),
    ("GET", "/v1/orders/{id}/events"),
    ("POST", "/v1/keys"),
    ("GET", "/v1/keys"),
    ("DELETE", "/v1/keys/{id}"),
]


@pytest.fixture(scope="module")
def schema(storefront: Storefront) -> Any:
    return schemathesis.openapi.from_url(f"http://{storefront.address}/openapi.json")


def test_every_operation_is_tried(schema: Any) -> None:
    found = [(each.ok().method.upper(), each.ok().path) for each in schema.get_all_operations()]
    assert sorted(found) == sorted(OPERATIONS)


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("verb", "path"), OPERATIONS)
def test_rest(schema: Any, verb: str, path: str, mode: GenerationMode) -> None:
    operation = schema[path][verb]
    headers = CUSTOMER if "/orders" in path else STAFF

    @FEW
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.validate_response(case.call(headers=headers, timeout=30), checks=CHECKS)

    ask()


@pytest.fixture(scope="module")
def graphql(storefront: Storefront) -> GraphQLSchema:
    answer = httpx.post(
        f"http://{storefront.address}/graphql", json={"query": get_introspection_query()}, timeout=30
    )
    return build_client_schema(answer.json()["data"])


def allowed(answer: httpx.Response) -> None:
    """A query is answered with 200, and an error in it is nobody's mistake but the caller's."""
    assert answer.status_code < 500, answer.text
    found = answer.json()
    wrong = [
        each
        for each in found.get("errors") or ()
        if each.get("extensions", {}).get("status", 400) in (500, 502)
    ]
    assert not wrong, json.dumps(wrong)


def test_graphql(storefront: Storefront, graphql: GraphQLSchema) -> None:
    with httpx.Client(base_url=f"http://{storefront.address}", timeout=30, headers=CUSTOMER) as web:

        @settings(FEW, max_examples=60)
        @given(query=from_schema(graphql, custom_scalars={}))
        def ask(query: str) -> None:
            allowed(web.post("/graphql", json={"query": query}))

        ask()


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000,
        b'{"query": ' + b"[" * 60_000,
        json.dumps({"query": "{ a" * 990}).encode(),
        json.dumps({"query": "{ a " + "(b: " + "[" * 900}).encode(),
        json.dumps({"query": "query($a: " + "[" * 990 + "Int"}).encode(),
        json.dumps({"query": "{ __typename }", "variables": [1]}).encode(),
        json.dumps({"query": "{ __typename }", "operationName": {}}).encode(),
        json.dumps([{"query": "{ __typename }"}] * 100).encode(),
        "{ 'query' }".encode("utf-16"),
    ],
    ids=range(9),
)
def test_graphql_that_is_meant_to_harm(storefront: Storefront, body: bytes) -> None:
    for path in ("/graphql", "/v1/orders"):
        answer = httpx.post(
            f"http://{storefront.address}{path}",
            content=body,
            headers={"content-type": "application/json", "idempotency-key": "a"},
            timeout=30,
        )
        assert answer.status_code < 500, answer.text


def test_graphql_with_anything_for_a_body(storefront: Storefront) -> None:
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["query", "variables", "x"]), inner),
        max_leaves=6,
    )
    with httpx.Client(base_url=f"http://{storefront.address}", timeout=30) as web:

        @settings(FEW, max_examples=60)
        @given(body=anything.map(json.dumps) | st.binary())
        def ask(body: str | bytes) -> None:
            answer = web.post("/graphql", content=body, headers={"content-type": "application/json"})
            assert answer.status_code < 500, answer.text

        ask()
