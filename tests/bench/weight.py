"""What the running shop weighs."""

from __future__ import annotations

from collections import defaultdict

from tests.bench.memory import below
from tests.bench.report import Row
from tests.bench.shop import Shop

AIM = "550"


def memory(shop: Shop) -> list[Row]:
    """PSS of all processes, by what they are, after a warm-up call to each."""
    groups: dict[str, list[float]] = defaultdict(list)
    private = []
    for process in below(shop.folder / ".mesh"):
        groups[_kind(process.command)].append(process.pss)
        if "envoy" in process.command.partition(" ")[0]:
            private.append(process.private)
    rows = [
        Row("memory", f"{kind}, {len(each)} processes" if len(each) > 1 else kind, round(sum(each)), "MiB")
        for kind, each in sorted(groups.items())
    ]
    return [
        *rows,
        Row("memory", "of a sidecar, its own", round(sum(private) / len(private), 1), "MiB"),
        Row("memory", "all together", round(sum(map(sum, groups.values()))), "MiB", AIM),
    ]


def _kind(command: str) -> str:
    if "mesh.local.controlplane" in command:
        return "control plane"
    return "sidecars and ingress" if "envoy" in command.partition(" ")[0] else "services"
