"""The yardstick: two Envoys configured by hand with as little as carries a gRPC call over mutual TLS.

client -> 127.0.0.1:outbound -> [Envoy] -> mTLS -> [Envoy] -> the application. What the mesh adds is measured against this pair.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mesh.envoy.bootstrap import envoy_binary

Config = dict[str, Any]


@contextlib.contextmanager
def pair(directory: Path, application: int, certificate: Path, key: Path, root: Path) -> Iterator[int]:
    """Run the pair in front of the application's port; yields the port that a client calls."""
    outer, inner = _free_port(), _free_port()
    tls = _tls(certificate, key, root)
    server = _envoy(inner, application, downstream={"require_client_certificate": True, **tls}, upstream=None)
    client = _envoy(outer, inner, downstream=None, upstream=tls)
    with _running(directory / "inner.json", server, inner), _running(directory / "outer.json", client, outer):
        yield outer


def _tls(certificate: Path, key: Path, root: Path) -> Config:
    chain = {"certificate_chain": {"filename": str(certificate)}, "private_key": {"filename": str(key)}}
    return {
        "common_tls_context": {
            "tls_certificates": [chain],
            "validation_context": {"trusted_ca": {"filename": str(root)}},
            "alpn_protocols": ["h2"],
        }
    }


def _envoy(port: int, target: int, downstream: Config | None, upstream: Config | None) -> Config:
    chain: Config = {"filters": [_http()]}
    if downstream:
        chain["transport_socket"] = _socket("Downstream", downstream)
    cluster: Config = {
        "name": "target",
        "type": "STATIC",
        "load_assignment": {
            "cluster_name": "target",
            "endpoints": [{"lb_endpoints": [{"endpoint": {"address": _address(target)}}]}],
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                "explicit_http_config": {"http2_protocol_options": {}},
            }
        },
    }
    if upstream:
        cluster["transport_socket"] = _socket("Upstream", upstream)
    return {
        "static_resources": {
            "listeners": [{"name": "in", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [cluster],
        }
    }


def _http() -> Config:
    router = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
    return {
        "name": "http",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            "stat_prefix": "in",
            "codec_type": "HTTP2",
            "route_config": {
                "virtual_hosts": [
                    {
                        "name": "all",
                        "domains": ["*"],
                        "routes": [{"match": {"prefix": "/"}, "route": {"cluster": "target"}}],
                    }
                ]
            },
            "http_filters": [{"name": "router", "typed_config": {"@type": router}}],
        },
    }


def _socket(side: str, context: Config) -> Config:
    kind = f"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.{side}TlsContext"
    return {"name": "tls", "typed_config": {"@type": kind, **context}}


def _address(port: int) -> Config:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


@contextlib.contextmanager
def _running(path: Path, config: Config, port: int) -> Iterator[None]:
    path.write_text(json.dumps(config))
    arguments = ["-c", str(path), "--concurrency", "1", "--disable-hot-restart", "-l", "error"]
    process = subprocess.Popen([envoy_binary(), *arguments])
    try:
        _wait_listening(process, port)
        yield
    finally:
        process.terminate()
        process.wait(10)


def _wait_listening(process: subprocess.Popen[bytes], port: int) -> None:
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        if process.poll() is not None:
            raise RuntimeError(f"Envoy ended with {process.returncode} before it listened")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"Envoy did not listen on {port} within 10 s")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
