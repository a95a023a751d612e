"""Who may call what, as the charts say it: ``calls:`` in their values, methods in their contract.yaml."""

from __future__ import annotations

from pathlib import Path

import yaml

from tests.scenarios.engine import SERVICES

CHARTS = Path(__file__).resolve().parents[2] / "charts" / "shop" / "charts"
WORKLOADS = (
    "catalog-v1",
    "catalog-v2",
    "inventory",
    "payments",
    "shipping",
    "orders",
    "storefront",
    "operator",
    "ingress",
)


def methods() -> list[tuple[str, str]]:
    """(service, method) of all contracts."""
    found = ((s, yaml.safe_load((CHARTS / s / "contract.yaml").read_text())["methods"]) for s in SERVICES)
    return [(service, method["name"]) for service, each in found for method in each]


def declared(chart: str) -> set[tuple[str, str]]:
    """(service, method) that a chart says it calls, of those that run."""
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    calls = [call for call in values["calls"] if call["to"] in SERVICES]
    return {(call["to"], method) for call in calls for method in call.get("methods", ())}
