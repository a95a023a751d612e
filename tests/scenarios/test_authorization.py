"""For every caller and method: the call is allowed exactly when the caller's chart declares it."""

from __future__ import annotations

import pytest

from tests.scenarios import contract
from tests.scenarios.engine import Answer, Engine

REACHED = ("OK", "INVALID_ARGUMENT", "NOT_FOUND")


def outcome(answer: Answer) -> str:
    """``allowed``: the service itself answered; ``denied``: its sidecar did; else there was no way to it."""
    if answer.code in REACHED:
        return "allowed"
    if answer.code == "PERMISSION_DENIED":
        assert answer.message == "RBAC: access denied", answer
        return "denied"
    assert answer.code == "UNAVAILABLE", answer
    return "out of scope"


def outcomes(engine: Engine, caller: str) -> dict[tuple[str, str], str]:
    place = engine.at(caller)
    return {
        (service, method): outcome(place.call(service, method, timeout=5))
        for service, method in contract.methods()
    }


@pytest.mark.parametrize("caller", contract.WORKLOADS)
def test_a_call_is_allowed_when_it_is_declared_and_never_else(engine: Engine, caller: str) -> None:
    found = outcomes(engine, caller)
    allowed = {call for call, became in found.items() if became == "allowed"}
    assert allowed == contract.declared(caller.partition("-")[0])


def test_authorization_alone_denies_what_is_not_declared(engine: Engine) -> None:
    """Without Sidecars and NetworkPolicies, which would hide services that a caller has no business with."""
    for kind in ("Sidecar", "NetworkPolicy"):
        for each in engine.list(kind):
            engine.remove(kind, each["metadata"]["name"])

    for caller in contract.WORKLOADS:
        declared = contract.declared(caller.partition("-")[0])
        wanted = {call: "allowed" if call in declared else "denied" for call in contract.methods()}
        engine.until(
            lambda caller=caller: "out of scope" not in outcomes(engine, caller).values(),
            f"{caller} has a way to every service",
        )
        assert outcomes(engine, caller) == wanted, caller
