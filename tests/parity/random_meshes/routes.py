"""VirtualServices: routes of HTTP requests."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.world import APPS, NAMESPACES, VERSIONS, World

SUBSETS = ("v1", "v2")
WORDS = ("a", "b", "x-y", "Z")
EXTERNAL = ("api.example", "a.b.example", "*.b.example", "*.example")
DURATIONS = ("1s", "0.25s", "5s", "1m30s", "10ms")


def virtual_services(world: World) -> None:
    for i in range(world.dice.number(0, 4)):
        namespace = world.namespace()
        world.add("networking.istio.io/v1", "VirtualService", f"vs-{i}", namespace, _spec(world, namespace))


def _spec(world: World, namespace: str) -> dict[str, Any]:
    dice = world.dice
    at_gateway = bool(world.gateways) and dice.chance(0.4)
    spec: dict[str, Any] = {"hosts": _hosts(world, namespace, at_gateway), **world.exported()}
    if at_gateway:
        name, owner = dice.one(world.gateways)
        given = [f"{owner}/{name}"] if owner != namespace or dice.chance(0.5) else [name]
        spec["gateways"] = [*given, *(["mesh"] if dice.chance(0.3) and "*" not in spec["hosts"] else [])]
    elif dice.chance(0.1):
        spec["gateways"] = ["mesh"]
    spec["http"] = dice.times(1, 4, lambda: http_route(world, namespace, spec.get("gateways", [])))
    return spec


def _hosts(world: World, namespace: str, at_gateway: bool) -> list[str]:
    dice = world.dice
    if at_gateway and dice.chance(0.3):
        return ["*"]
    choices = [world.host(namespace), world.host(namespace), dice.one(EXTERNAL)]
    if dice.chance(0.1):
        choices.append("*.shop.svc.cluster.local")
    picked = dice.some(choices, 1, 2)
    exact = [host for host in picked if not host.startswith("*")]
    return list(dict.fromkeys(exact[:2] or picked[:1]))


def http_route(world: World, namespace: str, gateways: list[str]) -> dict[str, Any]:
    dice = world.dice
    route: dict[str, Any] = {}
    if dice.chance(0.75):
        route["match"] = dice.times(1, 2, lambda: http_match(dice, gateways))
    kind = dice.one(["route"] * 8 + ["redirect", "direct"])
    if kind == "redirect":
        route["redirect"] = _redirect(dice)
    elif kind == "direct":
        route["directResponse"] = _direct(dice)
    else:
        route |= _forward(world, namespace)
    route |= dice.fields(
        name=(0.3, lambda: dice.one(WORDS)),
        headers=(0.2, lambda: headers(dice)),
        corsPolicy=(0.1, lambda: _cors(dice)),
        fault=(0.15 if kind == "route" else 0, lambda: _fault(dice)),
    )
    return route


def _forward(world: World, namespace: str) -> dict[str, Any]:
    dice = world.dice
    targets = dice.times(1, 3, lambda: _target(world, namespace))
    if len(targets) > 1:
        for target, weight in zip(
            targets, dice.one([(90, 10, 0), (50, 30, 20), (1, 1, 1), (100, 0, 0)]), strict=False
        ):
            target["weight"] = weight
    elif dice.chance(0.2):
        targets[0]["weight"] = 100
    return {"route": targets} | dice.fields(
        timeout=(0.3, lambda: dice.one(DURATIONS)),
        retries=(0.35, lambda: _retries(dice)),
        rewrite=(0.2, lambda: _rewrite(dice)),
        mirror=(0.15, lambda: destination(world, namespace)),
        mirrorPercentage=(0.1, lambda: percentage(dice)),
    )


def _target(world: World, namespace: str) -> dict[str, Any]:
    dice = world.dice
    return {"destination": destination(world, namespace)} | dice.fields(headers=(0.15, lambda: headers(dice)))


def destination(world: World, namespace: str) -> dict[str, Any]:
    dice = world.dice
    host = world.host(namespace) if dice.chance(0.95) else "nowhere.example"
    return {"host": host} | dice.fields(
        subset=(0.35, lambda: dice.one(SUBSETS)), port=(0.4, lambda: {"number": world.port(host)})
    )


def percentage(dice: Dice) -> dict[str, Any]:
    return {"value": dice.one([0, 0.5, 10, 12.5, 33.3333, 100])}


def http_match(dice: Dice, gateways: list[str]) -> dict[str, Any]:
    match = dice.fields(
        name=(0.1, lambda: dice.one(WORDS)),
        uri=(0.7, lambda: _uri(dice)),
        method=(0.1, lambda: {"exact": dice.one(["GET", "POST"])}),
        authority=(0.1, lambda: string(dice)),
        scheme=(0.05, lambda: {"exact": "https"}),
        headers=(0.3, lambda: {name: header(dice) for name in dice.some(["x-a", "x-b", "end-user"], 1)}),
        withoutHeaders=(0.1, lambda: {name: header(dice) for name in dice.some(["x-c", "x-d"], 1)}),
        queryParams=(0.15, lambda: {name: _query(dice) for name in dice.some(["q", "r"], 1)}),
        ignoreUriCase=(0.1, lambda: True),
        port=(0.1, lambda: dice.one([80, 8080, 50051])),
        sourceLabels=(
            0.1,
            lambda: {"app": dice.one(APPS)} | dice.fields(version=(0.3, lambda: dice.one(VERSIONS))),
        ),
        sourceNamespace=(0.1, lambda: dice.one(NAMESPACES)),
        gateways=(0.1, lambda: dice.some([*gateways, "mesh"], 1)),
    )
    return match or {"uri": {"prefix": "/"}}


def _uri(dice: Dice) -> dict[str, str]:
    return dice.one(
        [
            {"exact": "/a"},
            {"prefix": "/a"},
            {"prefix": "/"},
            {"prefix": "/shop.v1.Cart/"},
            {"prefix": "/a/b/"},
            {"regex": "/a.*"},
            {"regex": ".*"},
            {"exact": "/"},
        ]
    )


def string(dice: Dice) -> dict[str, str]:
    return dice.one([{"exact": "one"}, {"prefix": "on"}, {"regex": "on.*"}])


def header(dice: Dice) -> dict[str, str]:
    return {} if dice.chance(0.15) else string(dice)


def _query(dice: Dice) -> dict[str, str]:
    return dice.one([{"exact": "1"}, {"regex": "\\d+"}, {"prefix": "p"}])


def headers(dice: Dice) -> dict[str, Any]:
    return dice.fields(request=(0.8, lambda: _operations(dice)), response=(0.4, lambda: _operations(dice)))


def _operations(dice: Dice) -> dict[str, Any]:
    return dice.fields(
        set=(0.6, lambda: dict.fromkeys(dice.some(["x-1", "x-2"], 1, 2), "v")),
        add=(0.5, lambda: dict.fromkeys(dice.some(["x-3", "x-4"], 1), "%REQ(x)%")),
        remove=(0.4, lambda: dice.some(["x-5", "X-6"], 1)),
    )


def _retries(dice: Dice) -> dict[str, Any]:
    attempts = {"attempts": dice.number(0, 4)}
    if not attempts["attempts"]:
        return attempts
    return attempts | dice.fields(
        perTryTimeout=(0.4, lambda: dice.one(DURATIONS)),
        retryOn=(
            0.5,
            lambda: dice.one(
                ["5xx", "503,reset", "gateway-error,429", "unavailable,retriable-status-codes,504"]
            ),
        ),
        retryRemoteLocalities=(0.2, lambda: dice.chance(0.5)),
        retryIgnorePreviousHosts=(0.2, lambda: dice.chance(0.5)),
    )


def _rewrite(dice: Dice) -> dict[str, Any]:
    uri = dice.one(
        [{"uri": "/new"}, {"uri": "/"}, {}, {"uriRegexRewrite": {"match": "^/a/(.*)$", "rewrite": "/\\1"}}]
    )
    return uri | ({"authority": "new.example"} if not uri or dice.chance(0.3) else {})


def _redirect(dice: Dice) -> dict[str, Any]:
    made = {"uri": "/there"} | dice.fields(
        authority=(0.5, lambda: "other.example"),
        scheme=(0.3, lambda: dice.one(["http", "https"])),
        redirectCode=(0.4, lambda: dice.one([301, 302, 303, 307, 308])),
    )
    port = dice.one(
        [
            {},
            {},
            {"port": 8443},
            {"port": 443},
            {"derivePort": "FROM_REQUEST_PORT"},
            {"derivePort": "FROM_PROTOCOL_DEFAULT"},
        ]
    )
    return made | port


def _direct(dice: Dice) -> dict[str, Any]:
    body = dice.one([{}, {"body": {"string": "no"}}, {"body": {"bytes": "bm8="}}])
    return {"status": dice.one([200, 404, 503])} | body


def _cors(dice: Dice) -> dict[str, Any]:
    return {"allowOrigins": dice.times(1, 2, lambda: string(dice))} | dice.fields(
        allowMethods=(0.5, lambda: ["GET", "POST"]),
        allowHeaders=(0.5, lambda: ["x-a", "x-b"]),
        exposeHeaders=(0.3, lambda: ["x-c"]),
        maxAge=(0.4, lambda: dice.one(["24h", "1m30s"])),
        allowCredentials=(0.4, lambda: dice.chance(0.5)),
        unmatchedPreflights=(0.3, lambda: dice.one(["FORWARD", "IGNORE", "UNSPECIFIED"])),
    )


def _fault(dice: Dice) -> dict[str, Any]:
    share = (0.8, lambda: percentage(dice))
    delay = {"fixedDelay": dice.one(DURATIONS)} | dice.fields(percentage=share)
    cause: dict[str, Any] = dice.one(
        [{"httpStatus": 503}, {"grpcStatus": "UNAVAILABLE"}, {"httpStatus": 429}]
    )
    abort = cause | dice.fields(percentage=share)
    return dice.one([{"delay": delay}, {"abort": abort}, {"delay": delay, "abort": abort}])
