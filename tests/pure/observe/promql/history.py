"""Twenty minutes of a small mesh's metrics, the same each time: counters that begin, end, and begin anew, histograms, gauges with odd values."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from mesh.observe.metrics.series import NAME, STALE, Labels, Store

START: Final = 1_700_000_000_003
"""Not a whole second: Prometheus 2 and 3 differ in whether a range holds its start, and no sample stands at one."""
STEP: Final = 5_000
ROUNDS: Final = 240
END: Final = START + (ROUNDS - 1) * STEP
_LES: Final = ("1", "5", "10", "25", "50", "100", "250", "+Inf")
_EDGES: Final = (("ingress", "catalog"), ("ingress", "orders"), ("orders", "catalog"), ("orders", "payments"))


@dataclass(frozen=True)
class Series:
    """None where it is not there."""

    labels: Labels
    values: list[float | None]


def history() -> list[Series]:
    chance = random.Random(7)
    return [*_requests(chance), *_durations(chance), *_gauges(chance)]


def store() -> Store:
    """The observatory's own, with all of it."""
    found, all_series = Store(), history()
    kept = [found.series(each.labels) for each in all_series]
    for number in range(ROUNDS):
        values = {
            series: value
            for series, each in zip(kept, all_series, strict=True)
            if series and (value := each.values[number]) is not None
        }
        found.add(START + number * STEP, values)
    return found


def samples(series: Series) -> Iterator[tuple[int, float]]:
    """With marks where it ends, as Prometheus writes them."""
    before: float | None = None
    for number, value in enumerate(series.values):
        if value is not None or before is not None:
            yield START + number * STEP, STALE if value is None else value
        before = value


def _edge(source: str, destination: str, reporter: str) -> dict[str, str]:
    return {
        "reporter": reporter,
        "source_workload": source,
        "source_workload_namespace": "shop",
        "destination_workload": f"{destination}-v1",
        "destination_workload_namespace": "shop",
        "destination_service": f"{destination}.shop.svc.cluster.local",
        "destination_service_name": destination,
        "destination_service_namespace": "shop",
        "connection_security_policy": "mutual_tls" if reporter == "destination" else "unknown",
    }


def _requests(chance: random.Random) -> Iterator[Series]:
    for index, (source, destination) in enumerate(_EDGES):
        for reporter in ("source", "destination"):
            for status, protocol, code in (("0", "grpc", "200"), ("14", "grpc", "200"), ("", "http", "503")):
                labels = {
                    NAME: "istio_requests_total",
                    **_edge(source, destination, reporter),
                    "request_protocol": protocol,
                    "response_code": code,
                    **({"grpc_response_status": status} if status else {}),
                }
                yield Series(labels, _counter(chance, index))


def _counter(chance: random.Random, kind: int) -> list[float | None]:
    """By kind: steady, begun late, restarted, and away for a while.

    All begin with nothing or with much: Prometheus 2 and 3 differ in how they carry a counter back that begins with a little.
    """
    found: list[float | None] = []
    value = 1e6 if kind % 2 == 0 else 0.0
    for number in range(ROUNDS):
        value += chance.choice((0, 0, 1, 2, 7))
        if kind == 2 and number in (80, 81, 190):
            value = float(chance.randrange(3))
        absent = (kind == 1 and number < 60) or (kind == 3 and 100 <= number < 110)
        value = 0.0 if (kind == 1 and number <= 60) or (kind == 3 and number == 0) else value
        found.append(None if absent else value)
    return found


def _durations(chance: random.Random) -> Iterator[Series]:
    for source, destination in _EDGES[:3]:
        counts = [[0.0] * len(_LES)]
        for _ in range(ROUNDS - 1):
            more = sorted(chance.randrange(8) for _ in _LES)
            counts.append([before + grown for before, grown in zip(counts[-1], more, strict=True)])
        edge = _edge(source, destination, "source")
        for index, le in enumerate(_LES):
            name = {NAME: "istio_request_duration_milliseconds_bucket", "le": le}
            yield Series({**name, **edge}, [at[index] for at in counts])


def _gauges(chance: random.Random) -> Iterator[Series]:
    odd = (math.nan, math.inf, -math.inf, -0.0)
    for pod in ("catalog-1", "catalog-2", "orders-1"):
        labels = {"pod": pod, "namespace": "shop", "version": "v2" if pod.endswith("2") else "v1"}
        plain = [float(chance.randrange(-50, 50)) for _ in range(ROUNDS)]
        yield Series({NAME: "temperature", **labels}, list(plain))
        strange = [chance.choice(odd) if chance.random() < 0.1 else value for value in plain]
        yield Series({NAME: "strange", **labels}, list(strange))
        yield Series(
            {NAME: "up", **labels, "job": "envoy"}, [float(number % 50 > 3) for number in range(ROUNDS)]
        )
        yield Series({NAME: "pod_info", **labels, "node": f"node-{pod[-1]}"}, [1.0] * ROUNDS)
