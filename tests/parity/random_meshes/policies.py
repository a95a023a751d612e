"""PeerAuthentications, AuthorizationPolicies and RequestAuthentications."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.world import NAMESPACES, World

_MODES = ("STRICT", "PERMISSIVE", "DISABLE", "UNSET")


def peer_authentications(world: World) -> None:
    dice = world.dice
    for i in range(dice.number(0, 3)):
        spec: dict[str, Any] = dice.fields(mtls=(0.8, lambda: {"mode": dice.one(_MODES)}))
        namespace = world.namespace()
        if dice.chance(0.4):
            spec["selector"] = {"matchLabels": world.labels()}
            if dice.chance(0.6):
                ports = dice.some(["8080", "9000", "7070", "80"], 1, 2)
                spec["portLevelMtls"] = {port: {"mode": dice.one(_MODES)} for port in ports}
        world.add("security.istio.io/v1", "PeerAuthentication", f"pa-{i}", namespace, spec)


def mesh_config(world: World) -> None:
    """Other names of the mesh, and whom policies may ask."""
    dice = world.dice
    if not dice.chance(0.3):
        return
    service, port = world.fqdn(), dice.one([80, 8080, 9191])
    providers: list[dict[str, Any]] = [
        {
            "name": "grpc",
            "envoyExtAuthzGrpc": {"service": service, "port": port, "failOpen": dice.chance(0.3)},
        },
        {"name": "http", "envoyExtAuthzHttp": {"service": service, "port": port, "pathPrefix": "/check"}},
        {"name": "lost", "envoyExtAuthzGrpc": {"service": "nowhere.shop.svc.cluster.local", "port": 1}},
    ]
    config = {"extensionProviders": providers} | dice.fields(trustDomainAliases=(0.5, lambda: ["old", "td"]))
    world.manifests.append({"kind": "MeshConfig", **config})
    world.providers += [each["name"] for each in providers]


def custom_policies(world: World) -> None:
    dice = world.dice
    for i in range(dice.number(0, 2) if world.providers else 0):
        spec: dict[str, Any] = {
            "action": "CUSTOM",
            "provider": {"name": dice.one([*world.providers, "missing"])},
            "rules": dice.times(
                1, 2, lambda: {"to": [{"operation": _operation(dice)}]} if dice.chance(0.8) else {}
            ),
        }
        spec |= dice.fields(selector=(0.7, lambda: {"matchLabels": world.labels()}))
        world.add("security.istio.io/v1", "AuthorizationPolicy", f"custom-{i}", world.namespace(), spec)


def authorization_policies(world: World) -> None:
    dice = world.dice
    for i in range(dice.number(0, 3)):
        action = dice.one(["ALLOW", "ALLOW", "DENY", "AUDIT"])
        rules = dice.times(0 if action != "DENY" else 1, 2, lambda: _rule(dice))
        spec: dict[str, Any] = {"rules": rules} if rules or dice.chance(0.5) else {}
        spec |= dice.fields(selector=(0.5, lambda: {"matchLabels": world.labels()}))
        if action != "ALLOW" or dice.chance(0.5):
            spec["action"] = action
        tried: dict[str, Any] = {}
        if action != "AUDIT" and dice.chance(0.15):
            tried = {"annotations": {"istio.io/dry-run": dice.one(["true", "false"])}}
        world.add("security.istio.io/v1", "AuthorizationPolicy", f"ap-{i}", world.namespace(), spec, **tried)


def request_authentications(world: World) -> None:
    dice = world.dice
    for i in range(dice.one([0, 0, 1, 1, 2, 3])):
        spec: dict[str, Any] = dice.fields(jwtRules=(0.9, lambda: dice.times(0, 3, lambda: _jwt(dice))))
        spec |= dice.fields(selector=(0.5, lambda: {"matchLabels": world.labels()}))
        world.add("security.istio.io/v1", "RequestAuthentication", f"ra-{i}", world.namespace(), spec)


def _jwt(dice: Dice) -> dict[str, Any]:
    headers = [
        {"name": "x-token"},
        {"name": "authorization", "prefix": "Bearer "},
        {"name": "x-jwt", "prefix": "a"},
    ]
    claims = [{"header": "x-user", "claim": "sub"}, {"header": "x-deep", "claim": "a.b"}]
    return {
        "issuer": dice.one(["https://a.example", "https://b.example", "c", "testing@example"]),
        "jwks": '{"keys": [{"kty": "RSA", "e": "AQAB", "n": "AQ"}]}',
    } | dice.fields(
        audiences=(0.3, lambda: dice.some(["one", "two", "https://three/"], 1)),
        fromHeaders=(0.3, lambda: dice.some(headers, 1)),
        fromParams=(0.2, lambda: dice.some(["token", "t"], 1)),
        fromCookies=(0.2, lambda: ["session"]),
        forwardOriginalToken=(0.3, lambda: dice.chance(0.8)),
        outputPayloadToHeader=(0.2, lambda: "x-payload"),
        outputClaimToHeaders=(0.3, lambda: dice.some(claims, 1)),
        spaceDelimitedClaims=(0.2, lambda: dice.some(["roles", "scope", "a"], 1)),
        timeout=(0.2, lambda: "2s"),
    )


def _rule(dice: Dice) -> dict[str, Any]:
    rule: dict[str, Any] = {}
    if dice.chance(0.7):
        rule["from"] = dice.times(1, 2, lambda: {"source": _source(dice)})
    if dice.chance(0.7):
        rule["to"] = dice.times(1, 2, lambda: {"operation": _operation(dice)})
    if dice.chance(0.4):
        rule["when"] = dice.times(1, 2, lambda: _condition(dice))
    return rule


def _source(dice: Dice) -> dict[str, Any]:
    principals = [
        "cluster.local/ns/shop/sa/cart",
        "*/sa/web",
        "cluster.local/ns/far/*",
        "*",
        "td/ns/far/sa/db",
    ]
    tokens = ["issuer/subject", "*", "issuer/*", "*/subject", "iss*", "*ect"]
    blocks = ["10.0.0.0/8", "1.2.3.4", "2001:db8::/32"]
    pools: dict[str, list[str]] = {
        "principals": principals,
        "requestPrincipals": tokens,
        "namespaces": [*NAMESPACES, "f*", "*p", "*"],
        "trustDomains": ["cluster.local", "td", "*", "c*", "*.other"],
        "ipBlocks": blocks,
        "remoteIpBlocks": blocks,
    }
    if dice.chance(0.15):
        accounts = {"serviceAccounts": dice.some(["cart", "far/web"], 1)}
        return accounts | dice.fields(notServiceAccounts=(0.3, lambda: ["shop/db"]))
    return _values(dice, pools)


def _operation(dice: Dice) -> dict[str, Any]:
    return _values(
        dice,
        {
            "hosts": ["a.example", "*.example", "a.*", "*"],
            "methods": ["GET", "POST", "*"],
            "paths": ["/a", "/a*", "*/b", "*", "/x/{*}/y", "/x/{**}"],
            "ports": ["8080", "9000", "80"],
        },
    )


def _values(dice: Dice, pools: dict[str, list[str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in dice.some(list(pools), 1, 3):
        negative = "not" + name[0].upper() + name[1:]
        for field, likely in ((name, 0.8), (negative, 0.3)):
            if dice.chance(likely):
                found[field] = dice.some(pools[name], 1, 2)
        if name not in found and negative not in found:
            found[name] = dice.some(pools[name], 1, 2)
    return found


def _condition(dice: Dice) -> dict[str, Any]:
    pools = {
        "source.ip": ["10.0.0.0/8", "1.2.3.4"],
        "remote.ip": ["10.1.0.0/16"],
        "source.namespace": ["shop", "*ar"],
        "source.trustDomain": ["cluster.local", "old", "*l"],
        "source.principal": ["cluster.local/ns/shop/sa/cart", "*"],
        "source.serviceAccount": ["shop/cart"],
        "request.auth.principal": ["issuer/subject", "*"],
        "request.auth.audiences": ["aud", "aud*"],
        "request.auth.presenter": ["me"],
        "request.auth.claims[group]": ["admin", "*dev"],
        "request.auth.claims[a][b]": ["c"],
        "request.headers[x-token]": ["one", "on*", "*ne", "*"],
        "destination.ip": ["10.1.0.0/16"],
        "destination.port": ["8080", "80"],
        "connection.sni": ["a.example", "*.example"],
    }
    key = dice.one(list(pools))
    values = {"values": dice.some(pools[key], 1)} | dice.fields(
        notValues=(0.3, lambda: dice.some(pools[key], 1))
    )
    return {"key": key} | (values if dice.chance(0.8) else {"notValues": values["values"]})
