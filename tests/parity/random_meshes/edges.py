"""Sidecars, which narrow what a workload sees, and Gateways, the way in."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.world import World


def sidecars(world: World) -> None:
    dice = world.dice
    for i in range(dice.one([0, 0, 1, 1, 2])):
        namespace = world.namespace()
        spec: dict[str, Any] = {"egress": [{"hosts": _egress_hosts(world)}]}
        spec |= dice.fields(
            workloadSelector=(0.4, lambda: {"labels": world.labels()}),
            outboundTrafficPolicy=(0.3, lambda: {"mode": dice.one(["REGISTRY_ONLY", "ALLOW_ANY"])}),
        )
        world.add("networking.istio.io/v1", "Sidecar", f"sc-{i}", namespace, spec)


def _egress_hosts(world: World) -> list[str]:
    choices = [
        "./*",
        "*/*",
        "far/*",
        "shop/*",
        f"*/{world.fqdn()}",
        f"shop/{world.fqdn()}",
        f"./{world.fqdn()}",
    ]
    choices += ["~/*", "far/*.far.svc.cluster.local", f"~far/{world.fqdn()}", f"{'istio-system'}/*"]
    return world.dice.some(choices, 1, 3)


def gateways(world: World) -> None:
    dice = world.dice
    placed, world.gateways = world.gateways, []
    for i in range(dice.number(0, 2) if placed else 0):
        namespace = world.namespace()
        servers = list(
            {each["port"]["name"]: each for each in dice.times(1, 2, lambda: _server(world))}.values()
        )
        spec = {"selector": {"istio": "ingressgateway"}, "servers": servers}
        world.add("networking.istio.io/v1", "Gateway", f"gw-{i}", namespace, spec)
        world.gateways.append((f"gw-{i}", namespace))


def _server(world: World) -> dict[str, Any]:
    dice = world.dice
    number, protocol = dice.one([(80, "HTTP"), (80, "HTTP2"), (8081, "GRPC"), (8080, "HTTP"), (443, "HTTP")])
    hosts = [
        "*",
        "api.example",
        "*.b.example",
        "shop/*.example",
        "./api.example",
        "*/a.b.example",
        world.fqdn(),
    ]
    return {
        "port": {"number": number, "name": f"{protocol.lower()}-{number}", "protocol": protocol},
        "hosts": dice.some(hosts, 1, 2),
    }
