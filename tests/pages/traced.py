"""Traces as Jaeger would tell them: orders placed through an ingress, a few slow, a few failed; one with a script in an attribute."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh.dash.jaeger import Trace, Wanted, spans

Object = dict[str, Any]
HOSTILE = "<img src=x onerror=\"document.title='hacked'\">"

#: (service, request, parent, start and end as shares of the whole, by a sidecar)
_ORDER = (
    ("ingress", "PlaceOrder", None, 0.0, 1.0, True),
    ("orders", "PlaceOrder", 0, 0.01, 0.99, True),
    ("orders", "PlaceOrder", 1, 0.02, 0.98, False),
    ("orders", "BatchGetProducts", 2, 0.05, 0.15, False),
    ("catalog", "BatchGetProducts", 3, 0.07, 0.13, False),
    ("orders", "Reserve", 2, 0.16, 0.3, False),
    ("inventory", "Reserve", 5, 0.18, 0.28, False),
    ("orders", "Charge", 2, 0.31, 0.9, False),
    ("payments", "Charge", 7, 0.33, 0.88, True),
    ("payments", "Charge", 8, 0.34, 0.87, False),
    ("orders", "CreateShipment", 2, 0.4, 0.6, False),
    ("shipping", "CreateShipment", 10, 0.45, 0.55, False),
)


def order(
    number: int, start_us: int, milliseconds: float, failed: bool = False, shipped: bool = True
) -> Object:
    """In Jaeger's own JSON."""
    told = _ORDER if shipped else _ORDER[:-2]
    names = sorted({service for service, *_ in told})
    return {
        "traceID": f"{number:032x}",
        "processes": {f"p{i}": {"serviceName": name, "tags": []} for i, name in enumerate(names)},
        "spans": [
            {
                "traceID": f"{number:032x}",
                "spanID": f"{number:08x}{i:08x}",
                "operationName": f"shop.{service}.v1.Service/{request}",
                "references": []
                if parent is None
                else [{"refType": "CHILD_OF", "traceID": "", "spanID": f"{number:08x}{parent:08x}"}],
                "startTime": start_us + int(begin * milliseconds * 1000),
                "duration": int((end - begin) * milliseconds * 1000),
                "processID": f"p{names.index(service)}",
                "tags": [
                    {
                        "key": "rpc.grpc.status_code",
                        "type": "int64",
                        "value": 14 if failed and service != "catalog" else 0,
                    },
                    {
                        "key": "span.kind",
                        "type": "string",
                        "value": "client" if service == "orders" and parent == 2 else "server",
                    },
                    {"key": "note", "type": "string", "value": HOSTILE},
                    *(
                        [{"key": "error", "type": "bool", "value": True}]
                        if failed and service == "payments"
                        else []
                    ),
                    *([{"key": "component", "type": "string", "value": "proxy"}] if proxy else []),
                ],
            }
            for i, (service, request, parent, begin, end, proxy) in enumerate(told)
        ],
    }


@dataclass
class Traces:
    """A Jaeger of a few traces."""

    kept: Sequence[Object]
    asked: list[Wanted] = field(default_factory=list)

    def services(self) -> Sequence[str]:
        return ["catalog", "ingress", "inventory", "orders", "payments", "shipping"]

    def operations(self, service: str) -> Sequence[str]:
        return [f"shop.{service}.v1.Service/PlaceOrder"]

    def search(self, wanted: Wanted) -> Sequence[Trace]:
        self.asked.append(wanted)
        least = float(wanted.shortest.removesuffix("ms") or 0) * 1e6
        found = [spans(each) for each in self.kept]
        return [
            each
            for each in found
            if max(span.end_ns for span in each) - each[0].start_ns >= least
            and (not (wanted.tags or {}).get("error") or any(span.status == "ERROR" for span in each))
        ]

    def trace(self, trace_id: str) -> Trace:
        return next((spans(each) for each in self.kept if each["traceID"] == trace_id.zfill(32)), ())


class Written:
    """The lines that pods wrote, the same of every trace."""

    def lines(self, trace: str, span: str) -> Sequence[Object]:
        told = {
            "time": 1_000_000,
            "pod": "payments-abc12",
            "level": "error",
            "message": f"declined {HOSTILE}",
            "spanID": span,
        }
        return [told] if not span or span.endswith(f"{9:08x}") else []


def orders(count: int = 60) -> Traces:
    """Every twelfth is slow, every tenth fails, every ninth is not shipped; the latest is number 1."""
    now = int(time.time() * 1e6)
    return Traces(
        [
            order(
                i,
                now - i * 40_000_000,
                60 + (i * 37) % 50 + (900 if i % 12 == 0 else 0),
                i % 10 == 0,
                i % 9 != 0,
            )
            for i in range(1, count + 1)
        ]
    )
