"""Sidecars, which narrow what a workload sees, and Gateways, the way in."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.rules import pool
from tests.parity.random_meshes.world import World


def sidecars(world: World) -> None:
    dice = world.dice
    for i in range(dice.one([0, 0, 1, 1, 2])):
        namespace = world.namespace()
        spec: dict[str, Any] = {"egress": [{"hosts": _egress_hosts(world)}]}
        if dice.chance(0.35):
            spec["ingress"] = [_ingress(world, number) for number in dice.some([8080, 9000, 7070], 1, 2)]
        spec |= dice.fields(
            inboundConnectionPool=(0.2, lambda: pool(dice)),
            workloadSelector=(0.4, lambda: {"labels": world.labels()}),
            outboundTrafficPolicy=(0.3, lambda: {"mode": dice.one(["REGISTRY_ONLY", "ALLOW_ANY"])}),
        )
        world.add("networking.istio.io/v1", "Sidecar", f"sc-{i}", namespace, spec)


def _ingress(world: World, number: int) -> dict[str, Any]:
    dice = world.dice
    protocol = dice.one(["HTTP", "GRPC", "TCP", "HTTPS", "HTTP2"])
    return {"port": {"number": number, "protocol": protocol, "name": f"in-{number}"}} | dice.fields(
        defaultEndpoint=(
            0.7,
            lambda: dice.one(["127.0.0.1:8080", "0.0.0.0:9090", "unix:///tmp/app.sock", "[::1]:7000"]),
        ),
        bind=(0.2, lambda: "0.0.0.0"),
        captureMode=(0.2, lambda: dice.one(["NONE", "DEFAULT", "IPTABLES"])),
        connectionPool=(0.2, lambda: pool(dice)),
    )


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
