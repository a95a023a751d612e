"""A sick replica is left out until it is well again, and more requests than the pool allows fail at once."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping

from tests.scenarios.engine import Answer, Engine, Object


def charge(engine: Engine, headers: Mapping[str, str]) -> Answer:
    return engine.at("orders").call("payments", "Charge", request(), headers)


def request() -> Object:
    """A charge, which no proxy retries, so that the caller sees each failure."""
    amount = {"currency": "EUR", "minor": "100"}
    return {"key": f"{uuid.uuid4().hex}:charge", "amount": amount, "paymentMethod": "tok_visa"}


def test_one_sick_replica_of_three_is_ejected_and_returns(engine: Engine) -> None:
    engine.scale("payments", 3)
    pods = {pod["metadata"]["name"] for pod in engine.pods("payments")}
    served = [charge(engine, {}).headers["served-by"] for _ in range(60)]
    assert set(served) == pods

    sick = min(pods)
    fault = {"x-fault-payments": f"code=UNAVAILABLE;pod={sick}"}
    answers = [charge(engine, fault) for _ in range(60)]
    failed = [i for i, answer in enumerate(answers) if not answer.ok]
    assert 5 <= len(failed) <= 6, (
        "ejected after five failures in a row, its outlierDetection's threshold; "
        "the proxy's main thread does so, and a worker may ask once more before it has"
    )
    assert {answers[i].headers["served-by"] for i in failed} == {sick}
    assert max(failed) < 40, "callers see no more errors"

    engine.until(lambda: charge(engine, {}).headers["served-by"] == sick, "it is asked again")


def test_requests_beyond_the_pool_fail_fast(engine: Engine) -> None:
    def narrow(spec: Object) -> None:
        spec["trafficPolicy"]["connectionPool"]["http"] = {"http2MaxRequests": 2}

    engine.edit("DestinationRule", "payments", narrow)
    slow = {"x-fault-payments": "delay=500ms;method=Charge"}
    place = engine.at("orders")
    answers = place.calls(20, "payments", "Charge", request(), slow, concurrency=20)
    codes = answers.codes()
    assert codes.keys() == {"OK", "UNAVAILABLE"}, codes
    assert 2 <= codes["OK"] <= 6, "a worker thread of the proxy may not see another's count at once"
    overflown = answers.failed
    assert Counter(a.headers.get("x-envoy-overloaded") for a in overflown) == {"true": len(overflown)}
    assert all("overflow" in a.message for a in overflown)
    assert max(a.seconds for a in overflown) < 0.4, "before the slow ones"
