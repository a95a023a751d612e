"""DestinationRules: subsets and what happens to traffic after it is routed."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.routes import DURATIONS
from tests.parity.random_meshes.world import World

_WARMUPS: tuple[dict[str, Any], ...] = (
    {"warmupDurationSecs": "30s"},
    {"warmup": {"duration": "20s"}},
    {"warmup": {"duration": "20s", "aggression": 1.5, "minimumPercent": 20}},
)


def destination_rules(world: World) -> None:
    for i in range(world.dice.number(0, 4)):
        namespace = world.namespace()
        world.add("networking.istio.io/v1", "DestinationRule", f"dr-{i}", namespace, _spec(world, namespace))


def _spec(world: World, namespace: str) -> dict[str, Any]:
    dice = world.dice
    wild = dice.chance(0.1)
    host = (
        dice.one(["*.shop.svc.cluster.local", "*.local", "*.svc.cluster.local"])
        if wild
        else world.host(namespace)
    )
    subsets = [_subset(world, host, name) for name in dice.some(["v1", "v2"])] if not wild else []
    selector = {"workloadSelector": {"matchLabels": world.labels()}} if dice.chance(0.1) else {}
    return {"host": host, **({} if selector else world.exported()), **selector} | dice.fields(
        subsets=(0.7 if subsets else 0, lambda: subsets),
        trafficPolicy=(0.7, lambda: traffic_policy(world, host)),
    )


def _subset(world: World, host: str, name: str) -> dict[str, Any]:
    labels = {"version": name} if world.dice.chance(0.9) else {"app": "web", "version": name}
    return {"name": name, "labels": labels} | world.dice.fields(
        trafficPolicy=(0.3, lambda: traffic_policy(world, host))
    )


def traffic_policy(world: World, host: str) -> dict[str, Any]:
    dice = world.dice
    policy = _settings(dice) | dice.fields(
        proxyProtocol=(0.05, lambda: {"version": dice.one(["V1", "V2"])}),
        retryBudget=(0.1, lambda: _budget(dice)),
    )
    if dice.chance(0.2):
        policy["portLevelSettings"] = [
            {"port": {"number": world.port(host)}, **(_settings(dice) or _pool_only(dice))}
        ]
    return policy or _pool_only(dice)


def _pool_only(dice: Dice) -> dict[str, Any]:
    return {"connectionPool": pool(dice)}


def _settings(dice: Dice) -> dict[str, Any]:
    return dice.fields(
        loadBalancer=(0.4, lambda: _balancer(dice)),
        connectionPool=(0.4, lambda: pool(dice)),
        outlierDetection=(0.3, lambda: _outlier(dice)),
        tls=(0.3, lambda: _tls(dice)),
    )


def _budget(dice: Dice) -> dict[str, Any]:
    return dice.fields(
        percent=(0.6, lambda: dice.one([10, 25.5])),
        minRetryConcurrency=(0.6, lambda: dice.one([0, 5])),
    )


def _balancer(dice: Dice) -> dict[str, Any]:
    if dice.chance(0.5):
        names = ["ROUND_ROBIN", "LEAST_REQUEST", "RANDOM", "PASSTHROUGH", "LEAST_CONN", "UNSPECIFIED"]
        return {"simple": dice.one(names)} | dice.one([{}, {}, *_WARMUPS])
    keys: list[dict[str, Any]] = [
        {"httpHeaderName": "x-user"},
        {"useSourceIp": True},
        {"httpQueryParameterName": "q"},
        {"httpCookie": {"name": "c", "path": "/p", "ttl": "5s"}},
        {"httpCookie": {"name": "c"}},
    ]
    if dice.chance(0.1):
        return {"consistentHash": {"httpHeaderName": "x-user", "minimumRingSize": 12}}
    how = dice.one(
        [{}, {}, {"ringHash": {"minimumRingSize": 32}}, {"ringHash": {}}, {"maglev": {"tableSize": 101}}]
    )
    return {"consistentHash": dice.one(keys) | how}


def pool(dice: Dice) -> dict[str, Any]:
    tcp = dice.fields(
        maxConnections=(0.5, lambda: 10),
        connectTimeout=(0.4, lambda: dice.one(DURATIONS)),
        tcpKeepalive=(
            0.3,
            lambda: {"time": "7200s"} | dice.fields(probes=(0.5, lambda: 3), interval=(0.5, lambda: "75s")),
        ),
        maxConnectionDuration=(0.2, lambda: "1h"),
        idleTimeout=(0.2, lambda: "70s"),
    )
    http = dice.fields(
        http1MaxPendingRequests=(0.4, lambda: 5),
        http2MaxRequests=(0.4, lambda: 7),
        maxRequestsPerConnection=(0.3, lambda: 9),
        maxRetries=(0.3, lambda: 2),
        idleTimeout=(0.3, lambda: dice.one(DURATIONS)),
        maxConcurrentStreams=(0.2, lambda: 50),
        h2UpgradePolicy=(0.2, lambda: dice.one(["DEFAULT", "DO_NOT_UPGRADE", "UPGRADE"])),
        http2KeepAlive=(0.15, lambda: {"interval": "10s", "timeout": "3s"}),
    )
    if http.get("h2UpgradePolicy") != "UPGRADE" and dice.chance(0.15):
        http["useClientProtocol"] = True
    return {"tcp": tcp, "http": http} if dice.chance(0.6) else dice.one([{"tcp": tcp}, {"http": http}])


def _outlier(dice: Dice) -> dict[str, Any]:
    split = {"splitExternalLocalOriginErrors": True} if dice.chance(0.2) else {}
    if split and dice.chance(0.6):
        split["consecutiveLocalOriginFailures"] = dice.one([0, 4])
    return split | dice.fields(
        consecutive5xxErrors=(0.5, lambda: dice.one([0, 3])),
        consecutiveGatewayErrors=(0.4, lambda: dice.one([0, 2])),
        interval=(0.4, lambda: dice.one(DURATIONS)),
        baseEjectionTime=(0.4, lambda: dice.one(DURATIONS)),
        maxEjectionPercent=(0.4, lambda: dice.one([0, 50, 100])),
        minHealthPercent=(0.2, lambda: dice.one([0, 30])),
    )


def _tls(dice: Dice) -> dict[str, Any]:
    mode = dice.one(["DISABLE", "ISTIO_MUTUAL", "ISTIO_MUTUAL", "SIMPLE", "SIMPLE", "MUTUAL"])
    if mode == "DISABLE":
        return {"mode": mode}
    made = {"mode": mode} | dice.fields(
        sni=(0.4, lambda: "sni.example"), subjectAltNames=(0.3, lambda: ["one.example", "two.example"])
    )
    if mode == "ISTIO_MUTUAL":
        return made
    made |= dice.fields(insecureSkipVerify=(0.2, lambda: dice.chance(0.6)))
    if dice.chance(0.4) and not made.get("insecureSkipVerify"):
        return made | {"credentialName": dice.one(["secret"])}
    files = {"clientCertificate": "/c.pem", "privateKey": "/k.pem"} if mode == "MUTUAL" else {}
    if made.get("insecureSkipVerify"):
        return {key: value for key, value in made.items() if key != "subjectAltNames"} | files
    return (
        made | files | dice.fields(caCertificates=(0.5, lambda: "/ca.pem"), caCrl=(0.2, lambda: "/crl.pem"))
    )
