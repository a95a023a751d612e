"""Lines of logs are found by trace, span, level and time, whoever wrote them and however."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesh.observe.logline import line
from mesh.observe.logsanswer import Logs
from mesh.observe.logsearch import Wanted, search
from tests.pure.observe.serving import ask, serving

TRACE, OTHER, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "1" * 32, "00f067aa0ba902b7"
SECOND = 10**9
AT = int(datetime(2026, 1, 1, 12, tzinfo=UTC).timestamp()) * SECOND


def told(second: int, event: str, trace: str = TRACE, level: str = "info", **more: Any) -> str:
    at = datetime.fromtimestamp(AT // SECOND + second, UTC).isoformat().replace("+00:00", "Z")
    return json.dumps({"event": event, "level": level, "time": at, "trace_id": trace, **more})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    written = {
        "orders-1/orders.1.log": [told(0, "before the file began anew")],
        "orders-1/orders.log": [
            told(2, "placed", span_id=SPAN),
            told(3, "other", OTHER),
            told(5, "lost", level="error"),
        ],
        "payments-1/payments.log": [
            told(4, "charged"),
            "Traceback (most recent call last):",
            told(9, "late", OTHER),
        ],
        "payments-1/istio-proxy.log": [f"[2026-01-01T12:00:04.500Z] POST /Charge 200 trace={TRACE}"],
        "recommendations-1/go.log": [
            json.dumps(
                {"time": "2026-01-01T12:00:01.123456789Z", "level": "WARN", "msg": "slow", "traceId": TRACE}
            )
        ],
    }
    for name, lines in written.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("".join(f"{each}\n" for each in lines))
    (tmp_path / "control-plane.log").write_text(told(1, "not a pod's"))
    return tmp_path


def messages(logs: Path, **wanted: Any) -> list[str]:
    return [found.message for found in search(logs, Wanted(**wanted))]


def test_a_traces_lines_come_in_order_of_time_from_all_pods(logs: Path) -> None:
    found = messages(logs, trace=TRACE, proxies=False)
    assert found == ["before the file began anew", "slow", "placed", "charged", "lost"]
    assert messages(logs, trace=TRACE)[-2].startswith("[2026-01-01T12:00:04.500Z] POST")


def test_lines_are_asked_for_by_span_level_pod_and_time(logs: Path) -> None:
    assert messages(logs, span=SPAN) == ["placed"]
    assert messages(logs, level="warning") == ["slow", "lost"]
    assert messages(logs, trace=OTHER, pod="payments") == ["late"]
    assert messages(logs, trace=TRACE, start_ns=AT + 4 * SECOND, proxies=False) == ["charged", "lost"]
    assert messages(logs, trace=TRACE, limit=1) == ["lost"]


def test_a_line_without_a_time_stays_beside_the_one_before(logs: Path) -> None:
    found = messages(logs, pod="payments", proxies=False)
    assert found == ["charged", "Traceback (most recent call last):", "late"]


@pytest.mark.parametrize(
    ("written", "level", "message"),
    [
        ('{"level": 50, "msg": "pino", "time": 1767268800123}', "error", "pino"),
        ('{"severity": "ERROR", "message": "x", "ts": 1767268800.5}', "error", "x"),
        ("[25257] 2026/01/01 12:00:00.790966 [INF] Starting nats-server", "info", None),
        ("[2026-01-01 12:00:00.538][25215][warning][misc] [a.cc:23] text", "warning", None),
        ('{"not": "closed"', "", None),
        ('{"level": "loud", "time": "yesterday"}', "", None),
        ("[]", "", None),
        ("", "", None),
    ],
)
def test_other_programs_spell_it_otherwise(written: str, level: str, message: str | None) -> None:
    found = line(written.encode(), "pod", "container")
    assert (found.level, found.message) == (level, message or written)
    assert (found.at_ns is not None) == ("20" in written or "17672" in written)


@given(
    st.binary(max_size=300)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(str).map(str.encode)
)
def test_no_line_is_too_strange(written: bytes) -> None:
    found = line(written, "pod", "container")
    assert Wanted(level="critical").fits(found) in (True, False)


@given(
    st.dictionaries(
        st.sampled_from(["time", "level", "event", "trace_id"]), st.integers() | st.floats() | st.text()
    )
)
def test_no_field_is_too_strange(fields: dict[str, Any]) -> None:
    assert line(json.dumps(fields).encode(), "pod", "container").pod == "pod"


async def test_they_are_asked_for_over_http(logs: Path) -> None:
    async with serving(Logs(logs).routes()) as port:
        answer, body = await ask(port, "GET", f"/api/logs?trace={TRACE}&level=error")
        assert answer.status == 200
        [found] = json.loads(body)["data"]
        assert (found["pod"], found["container"], found["message"]) == ("orders-1", "orders", "lost")
        assert (found["time"], found["traceID"]) == (AT // 1000 + 5_000_000, TRACE)
        for query, said in (
            ("trace=<script>", "trace"),
            ("level=loud", "level"),
            ("limit=x", "limit"),
            ("span=1", "span"),
        ):
            answer, body = await ask(port, "GET", f"/api/logs?{query}")
            assert answer.status == 400
            assert said in json.loads(body)["errors"][0]["msg"]


def test_a_folder_that_is_not_there_has_nothing(tmp_path: Path) -> None:
    assert search(tmp_path / "none", Wanted()) == []
