"""Writes what a real Prometheus answers to all questions: `python -m tests.pure.observe.promql.record`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.pure.observe.promql.history import END, START, history
from tests.pure.observe.promql.questions import ALL
from tests.pure.observe.promql.real import Real, prometheus

RECORDED: Final = Path(__file__).with_name("recorded.json")
#: Start, end and step in ms; a step of 0 is a moment.
MOMENTS: Final = ((END, END + 2_000, 0), (START + 297_500, START + 637_500, 85_000))


def theirs(real: Real, query: str, start: int, end: int, step: int) -> Any:
    """Only what is compared: the data, or the kind of error."""
    if step:
        told = {"start": str(start / 1000), "end": str(end / 1000), "step": str(step / 1000)}
        _, found = real.ask("/api/v1/query_range", query=query, **told)
    else:
        _, found = real.ask("/api/v1/query", query=query, time=str(end / 1000))
    return found["data"] if found["status"] == "success" else {"error": found["errorType"]}


def main() -> None:
    with prometheus(history()) as real:
        found = {query: [theirs(real, query, *moment) for moment in MOMENTS] for query in ALL}
    RECORDED.write_text(
        "{\n" + ",\n".join(f"{json.dumps(q)}: {json.dumps(told)}" for q, told in found.items()) + "\n}\n"
    )


if __name__ == "__main__":
    main()
