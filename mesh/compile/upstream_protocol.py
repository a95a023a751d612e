"""Which HTTP a cluster speaks: by the port's protocol, by a rule that upgrades, or as the caller does.

Source: istiod's setUpstreamProtocol, applyH2Upgrade and clusterWrapper.build.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, Final

from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions
from envoy.extensions.upstreams.http.v3.http_protocol_options_pb2 import HttpProtocolOptions

from mesh.compile import pool as pools
from mesh.compile import ports, proxyheaders
from mesh.envoy.typed import typed
from mesh.model.service import Protocol
from mesh.resources.istio.destinationrule import ConnectionPool, UpgradePolicy
from mesh.resources.istio.meshconfig import MeshConfig, UpgradeAll

OPTIONS: Final = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


class Spoken(Enum):
    HTTP1 = auto()
    HTTP2 = auto()
    #: What the caller speaks, connection by connection.
    AS_CALLED = auto()


def by_protocol(protocol: Protocol, sidecar: bool) -> Spoken:
    if protocol.is_http2:
        return Spoken.HTTP2
    return Spoken.AS_CALLED if sidecar and ports.is_sniffed(protocol) else Spoken.HTTP1


def keeps_case(protocol: Protocol, config: MeshConfig) -> bool:
    """Whether HTTP/1 headers are written as they were read."""
    readable = ports.is_sniffed(protocol) or (protocol.is_http and not protocol.is_http2)
    return readable and proxyheaders.keeps_case(config.default_config.proxy_headers)


def upgraded(spoken: Spoken, protocol: Protocol, pool: ConnectionPool | None, config: MeshConfig) -> Spoken:
    """For the way out, where a rule or the whole mesh may turn HTTP/1.1 into HTTP/2. It does not where case is kept."""
    upgrades = spoken is Spoken.HTTP1 and _upgrades(protocol, pool, config)
    return Spoken.HTTP2 if upgrades and not keeps_case(protocol, config) else spoken


def _upgrades(protocol: Protocol, pool: ConnectionPool | None, config: MeshConfig) -> bool:
    http = pool.http if pool else None
    if http is not None:
        if http.use_client_protocol:
            return False
        if http.h2_upgrade_policy is not UpgradePolicy.DEFAULT:
            return http.h2_upgrade_policy is UpgradePolicy.UPGRADE
    return protocol.is_http and config.h2_upgrade_policy is UpgradeAll.UPGRADE


def final(spoken: Spoken, pool: ConnectionPool | None) -> Spoken:
    return Spoken.AS_CALLED if pools.settings(pool)[0].use_client_protocol else spoken


def options(
    spoken: Spoken,
    pool: ConnectionPool | None,
    keeps_case: bool,
    auto_sni: bool = False,
    auto_san: bool = False,
) -> HttpProtocolOptions | None:
    """None for plain HTTP/1.1 without settings."""
    common = pools.common_options(pool)
    if spoken is Spoken.HTTP1 and not (auto_sni or auto_san or common or keeps_case):
        return None
    made = HttpProtocolOptions(common_http_protocol_options=common)
    first = proxyheaders.KEEP_CASE if keeps_case else Http1ProtocolOptions()
    if spoken is Spoken.AS_CALLED:
        made.use_downstream_protocol_config.http_protocol_options.CopyFrom(first)
        made.use_downstream_protocol_config.http2_protocol_options.SetInParent()
    elif spoken is Spoken.HTTP2:
        made.explicit_http_config.http2_protocol_options.SetInParent()
        _http2(made, pool)
    else:
        made.explicit_http_config.http_protocol_options.CopyFrom(first)
    if auto_sni:
        made.upstream_http_protocol_options.auto_sni = True
    if auto_san:
        made.upstream_http_protocol_options.auto_san_validation = True
    return made


def extensions(made: HttpProtocolOptions | None) -> dict[str, Any]:
    return {OPTIONS: typed(made)} if made is not None else {}


def _http2(made: HttpProtocolOptions, pool: ConnectionPool | None) -> None:
    http, http2 = pools.settings(pool)[0], made.explicit_http_config.http2_protocol_options
    if http.max_concurrent_streams > 0:
        http2.max_concurrent_streams.value = http.max_concurrent_streams
    given = http.http2_keep_alive
    if given is not None:
        http2.connection_keepalive.SetInParent()
        if given.interval is not None:
            http2.connection_keepalive.interval.FromTimedelta(given.interval)
        if given.timeout is not None:
            http2.connection_keepalive.timeout.FromTimedelta(given.timeout)
