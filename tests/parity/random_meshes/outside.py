"""ServiceEntries and WorkloadEntries: hosts and machines that are not Kubernetes' own."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.world import World

_HOSTS = ("api.example.com", "db.example.com", "fixed.internal.local", "machines.internal.local")
_PORTS = (
    (80, "http", "HTTP"),
    (443, "tls", "TLS"),
    (443, "https", "HTTPS"),
    (8080, "grpc", "GRPC"),
    (9000, "tcp", "TCP"),
    (9001, "http2", "HTTP2"),
    (27017, "mongo", "MONGO"),
)


def entries(world: World) -> None:
    dice = world.dice
    for i in range(dice.one([0, 0, 1, 1, 2])):
        _workload(world, i)
    for i, host in enumerate(dice.some(_HOSTS, 0, 2)):
        namespace = world.namespace()
        spec = _entry(world, host)
        world.add("networking.istio.io/v1", "ServiceEntry", f"se-{i}", namespace, spec)
        world.services.append((host, "", [port["number"] for port in spec["ports"]]))


def _workload(world: World, number: int) -> None:
    dice = world.dice
    spec: dict[str, Any] = {"address": f"10.8.0.{number + 1}", "labels": world.labels()}
    spec |= dice.fields(
        ports=(0.3, lambda: {"http": 7777, "grpc": 7778}),
        serviceAccount=(0.5, lambda: dice.one(["vm", "cart"])),
        weight=(0.2, lambda: dice.number(1, 4)),
    )
    world.add("networking.istio.io/v1", "WorkloadEntry", f"we-{number}", world.namespace(), spec)


def _entry(world: World, host: str) -> dict[str, Any]:
    dice = world.dice
    resolution = dice.one(["STATIC", "DNS", "DNS", "DNS_ROUND_ROBIN", "NONE"])
    drawn = {number: (name, protocol) for number, name, protocol in dice.some(_PORTS, 1, 3)}
    ports = [
        {"number": number, "name": name, "protocol": protocol} | dice.fields(targetPort=(0.3, lambda: 7070))
        for number, (name, protocol) in drawn.items()
    ]
    spec: dict[str, Any] = {"hosts": [host], "ports": ports, "resolution": resolution}
    spec |= world.exported() | dice.fields(
        location=(0.6, lambda: dice.one(["MESH_INTERNAL", "MESH_EXTERNAL"])),
        subjectAltNames=(0.15, lambda: [host]),
        addresses=(0.3, lambda: [dice.one(["192.168.7.7", "192.168.8.8"])]),
    )
    if resolution != "NONE":
        spec |= _behind(world, resolution, list(drawn.values()))
    return spec


def _behind(world: World, resolution: str, ports: list[tuple[str, str]]) -> dict[str, Any]:
    dice = world.dice
    if dice.chance(0.3):
        return {"workloadSelector": {"labels": world.labels()}}
    most = {"STATIC": 3, "DNS": 2, "DNS_ROUND_ROBIN": 1}[resolution]
    named = resolution != "STATIC"

    def endpoint() -> dict[str, Any]:
        address = dice.one(["a.example.com", "b.example.com"]) if named else f"10.9.0.{dice.number(1, 9)}"
        return {"address": address} | dice.fields(
            labels=(0.5, lambda: {"version": dice.one(["v1", "v2"])}),
            serviceAccount=(0.2, lambda: "outside"),
            ports=(0.3, lambda: {ports[0][0]: 7171}),
            weight=(0.2, lambda: dice.number(1, 5)),
        )

    found = dice.times(1 if resolution == "STATIC" else 0, most, endpoint)
    return {"endpoints": found} if found else {}
