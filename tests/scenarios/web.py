"""HTTP from outside, at the ingress, as a customer's program speaks it: the Host header says which service is meant."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.scenarios.engine import Engine

HOST = "storefront.shop.example"
SECONDS = 30.0


@dataclass(frozen=True)
class Answer:
    """``body`` is None where it is no JSON, as an answer of a proxy."""

    status: int
    body: Any


def ask(
    engine: Engine, verb: str, path: str, headers: Mapping[str, str] | None = None, body: object = None
) -> Answer:
    address, _, port = engine.gateway().partition(":")
    connection = http.client.HTTPConnection(address, int(port), timeout=SECONDS)
    sent = {"Host": HOST, **(headers or {})}
    if body is not None:
        sent["Content-Type"] = "application/json"
    try:
        connection.request(verb, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    try:
        return Answer(answer.status, json.loads(text) if text else None)
    except ValueError:
        return Answer(answer.status, None)
