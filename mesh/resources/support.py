"""What Istio's API has and meshwright does not translate. The decoder reports each as MW0102; docs/problems.md prints the tables.

Whoever translates a field takes it out of here. Nothing is dropped silently: a field that neither stands here nor is read by compile
or link fails a test (tests/pure/resources/test_support.py).
"""

from __future__ import annotations

from typing import Final

#: Type of ``mesh.resources.istio`` -> names of its fields as they are written in YAML.
NOT_TRANSLATED: Final[dict[str, tuple[str, ...]]] = {
    "RetryBudget": ("budgetInterval",),
    "LoadBalancer": ("localityLbSetting", "zoneAwareLbSetting"),
    "TelemetrySpec": ("metrics",),
    "Provider": ("datadog",),  # istiod's translation of it has no service name, and Envoy refuses that
    "MeshConfig": ("localityLbSetting",),
}

#: Whole kinds. They are read and checked, and their specs stand in the Mesh, but nothing is made of them yet.
KINDS_NOT_TRANSLATED: Final = frozenset(
    {
        "ProxyConfig",
        "TrafficExtension",
        "WasmPlugin",
        "WorkloadGroup",
    }
)
