"""EnvoyFilters: patches of each part of a proxy's configuration, by each operation that istiod does something for."""

from __future__ import annotations

from typing import Any

from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.world import World

_TYPES = "type.googleapis.com/envoy.extensions."
_MANAGER = "envoy.filters.network.http_connection_manager"
_INNER = (
    "envoy.filters.http.router",
    "envoy.filters.http.fault",
    "envoy.filters.http.cors",
    "envoy.filters.http.rbac",
)
_CONTEXTS = ("ANY", "SIDECAR_INBOUND", "SIDECAR_OUTBOUND", "GATEWAY")
#: A sidecar's outbound virtual hosts are shared by several of its configurations, and istiod patches them again for each that a proxy asks for.
_UNSHARED = ("SIDECAR_INBOUND", "GATEWAY")
_PLACES = ("ADD", "INSERT_FIRST", "INSERT_BEFORE", "INSERT_AFTER", "REMOVE")


def envoy_filters(world: World) -> None:
    dice = world.dice
    for i in range(dice.one([0, 0, 0, 1, 1, 2])):
        spec: dict[str, Any] = {"configPatches": dice.times(1, 3, lambda: _patch(world))}
        spec |= dice.fields(
            workloadSelector=(0.4, lambda: {"labels": world.labels()}),
            priority=(0.2, lambda: dice.number(0, 3)),
        )
        world.add("networking.istio.io/v1alpha3", "EnvoyFilter", f"ef-{i}", world.namespace(), spec)


def _patch(world: World) -> dict[str, Any]:
    made = world.dice.one(
        [_http_filter, _network_filter, _cluster, _host, _route, _configuration, _listener, _chain]
    )
    apply_to, match, patch = made(world)
    contexts = _UNSHARED if apply_to in ("VIRTUAL_HOST", "HTTP_ROUTE") else _CONTEXTS
    match |= world.dice.fields(
        context=(0.7 if contexts is _CONTEXTS else 1.0, lambda: world.dice.one(contexts)),
        proxy=(0.1, lambda: {"proxyVersion": world.dice.one([r"^1\.31.*", r"^1\.2"])}),
    )
    return {"applyTo": apply_to, "patch": patch} | ({"match": match} if match else {})


def _listened(dice: Dice, chain: dict[str, Any]) -> dict[str, Any]:
    found = dice.fields(
        portNumber=(0.5, lambda: dice.one([80, 8080, 9000, 50051, 7070])),
        name=(0.15, lambda: dice.one(["virtualInbound", "virtualOutbound", "0.0.0.0_80", "0.0.0.0_8080"])),
    )
    chain |= dice.fields(
        transportProtocol=(0.1, lambda: dice.one(["tls", "raw_buffer"])),
        applicationProtocols=(0.1, lambda: dice.one(["istio", "http/1.1,h2c", "istio,istio-peer-exchange"])),
        destinationPort=(0.1, lambda: dice.one([8080, 9000])),
        name=(0.05, lambda: "virtualInbound-catchall-http"),
    )
    return {"listener": found | ({"filterChain": chain} if chain else {})}


def _http_filter(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    dice = world.dice
    kind = {"@type": f"{_TYPES}filters.http.buffer.v3.Buffer", "max_request_bytes": dice.number(1, 9)}
    value: dict[str, Any] = {"name": "envoy.filters.http.buffer", "typed_config": kind}
    inner = {"subFilter": {"name": dice.one(_INNER)}} if dice.chance(0.8) else {}
    chain = {"filter": {"name": _MANAGER, **inner}} if inner or dice.chance(0.5) else {}
    operation = dice.one([*_PLACES, "REPLACE"])
    if inner and dice.chance(0.2):
        operation = "MERGE"
        chain["filter"]["subFilter"]["name"] = "envoy.filters.http.grpc_stats"
        stats = {"@type": f"{_TYPES}filters.http.grpc_stats.v3.FilterConfig", "enable_upstream_stats": True}
        value = {"typed_config": stats}
    return "HTTP_FILTER", _listened(dice, chain), {"operation": operation, "value": value}


def _network_filter(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    dice = world.dice
    limit = {"@type": f"{_TYPES}filters.network.connection_limit.v3.ConnectionLimit", "stat_prefix": "a"}
    value: dict[str, Any] = {
        "name": "envoy.filters.network.connection_limit",
        "typed_config": {**limit, "max_connections": dice.number(1, 9)},
    }
    chain: dict[str, Any] = {}
    if dice.chance(0.8):
        chain = {"filter": {"name": dice.one(["envoy.filters.network.tcp_proxy", _MANAGER])}}
    operation = dice.one([*_PLACES, "REPLACE"])
    if chain and dice.chance(0.3):
        operation = "MERGE"
        chain["filter"]["name"] = _MANAGER
        manager = f"{_TYPES}filters.network.http_connection_manager.v3.HttpConnectionManager"
        value = {"typed_config": {"@type": manager, "stream_idle_timeout": "5s", "server_name": "a"}}
    return "NETWORK_FILTER", _listened(dice, chain), {"operation": operation, "value": value}


def _cluster(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    dice = world.dice
    match = dice.fields(
        service=(0.5, world.fqdn),
        portNumber=(0.4, lambda: dice.one([80, 8080, 9000])),
        subset=(0.2, lambda: dice.one(["v1", "v2"])),
        name=(0.1, lambda: dice.one(["BlackHoleCluster", "PassthroughCluster", "inbound|8080||"])),
    )
    operation = dice.one(["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "INSERT_FIRST"])
    value: dict[str, Any] = {
        "connect_timeout": "0.25s",
        "circuit_breakers": {"thresholds": [{"max_retries": 2}]},
    }
    if operation in ("ADD", "INSERT_FIRST"):
        value |= {"name": dice.one(["one", "two"]), "type": "STATIC"}
    elif dice.chance(0.3):
        tls = {"@type": f"{_TYPES}transport_sockets.tls.v3.UpstreamTlsContext", "sni": "patched"}
        value = {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls}}
    return "CLUSTER", {"cluster": match} if match else {}, {"operation": operation, "value": value}


def _routed(world: World, host: dict[str, Any]) -> dict[str, Any]:
    dice = world.dice
    found = dice.fields(
        portNumber=(0.3, lambda: dice.one([80, 8080, 50051])),
        name=(0.3, lambda: dice.one(["80", "8080", "http.80", "http.8080", f"{world.fqdn()}:80"])),
    )
    host |= dice.fields(
        name=(0.2, lambda: f"{world.fqdn()}:{dice.one([80, 8080])}"),
        domainName=(0.2, lambda: dice.one(["*", world.fqdn(), "api.example"])),
    )
    return {"routeConfiguration": found | ({"vhost": host} if host else {})}


def _host(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    operation = world.dice.one(
        ["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE", "REPLACE", "INSERT_BEFORE"]
    )
    value: dict[str, Any] = {"request_headers_to_remove": ["x-a"]}
    if operation in ("ADD", "REPLACE", "INSERT_BEFORE"):
        route = {"match": {"prefix": "/"}, "direct_response": {"status": 404}}
        value |= {"name": "made", "domains": ["made.example"], "routes": [route]}
    return "VIRTUAL_HOST", _routed(world, {}), {"operation": operation, "value": value}


def _route(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    dice = world.dice
    route = dice.fields(
        name=(0.3, lambda: dice.one(["default", "allow_any", "a", "b"])),
        action=(0.5, lambda: dice.one(["ANY", "ROUTE", "REDIRECT", "DIRECT_RESPONSE"])),
    )
    operation = dice.one([*_PLACES, "MERGE", "MERGE_AND_REPLACE_LIST"])
    value: dict[str, Any] = {"response_headers_to_remove": ["x-a"], "name": "patched"}
    if operation in _PLACES:
        value |= {"match": {"path": "/made"}, "direct_response": {"status": 204}}
    host = {"route": route} if route or dice.chance(0.3) else {}
    return "HTTP_ROUTE", _routed(world, host), {"operation": operation, "value": value}


def _configuration(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    value = {"response_headers_to_remove": ["x-b"], "most_specific_header_mutations_wins": True}
    operation = world.dice.one(["MERGE", "MERGE_AND_REPLACE_LIST"])
    return "ROUTE_CONFIGURATION", _routed(world, {}), {"operation": operation, "value": value}


def _listener(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    operation = world.dice.one(["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE"])
    value: dict[str, Any] = {"per_connection_buffer_limit_bytes": 1024}
    if operation == "ADD":
        value |= {"name": "made", "address": {"socket_address": {"address": "127.0.0.1", "port_value": 1}}}
        value |= {"filter_chains": [{"filters": [{"name": "a"}]}]}
    return "LISTENER", _listened(world.dice, {}), {"operation": operation, "value": value}


def _chain(world: World) -> tuple[str, dict[str, Any], dict[str, Any]]:
    operation = world.dice.one(["MERGE", "MERGE_AND_REPLACE_LIST", "ADD", "REMOVE"])
    value: dict[str, Any] = {"transport_socket_connect_timeout": "3s"}
    if operation == "ADD":
        value |= {"name": "made", "filters": [{"name": "a"}]}
    elif world.dice.chance(0.3):
        tls = {"@type": f"{_TYPES}transport_sockets.tls.v3.DownstreamTlsContext", "require_sni": True}
        value = {"transport_socket": {"name": "envoy.transport_sockets.tls", "typed_config": tls}}
    return "FILTER_CHAIN", _listened(world.dice, {}), {"operation": operation, "value": value}
