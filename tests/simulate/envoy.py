"""One Envoy that plays every proxy of a stage, and every application, too. Between the proxies it speaks real mutual TLS with itself.

Resources are those of the stage's snapshots, written out in place as for `envoy --mode validate`, with names of their own for each proxy. An
application answers with what it was asked, in headers; when ``x-fail`` is among them, with 503.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

from mesh.ca.authority import Authority
from mesh.ca.certificate import Certificate
from mesh.envoy.bootstrap import envoy_binary
from mesh.envoy.snapshot import to_json
from mesh.model.identity import Identity
from tests.parity.bootstrap import _inline, _static
from tests.simulate.stage import Stage

Plain = dict[str, Any]
#: Request headers that an application sends back.
ECHOED: Final = ("x-1", "x-2", "x-3", "x-4", "x-5", "x-6", "x-a", "x-b")
_PATIENCE: Final = 30.0
LEVEL = "error"
_MANAGER: Final = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER: Final = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"


class PortTaken(Exception):
    """A port that was free is not any more."""


def config(stage: Stage, authority: Authority, admin: str) -> Plain:
    """The bootstrap, ready for json.dump."""
    clusters: list[Plain] = []
    listeners = [_application(port, name) for port, name in stage.apps.items()]
    secrets: list[Plain] = [_root(authority)]
    for i, workload in enumerate(stage.mesh.workloads):
        plain = json.loads(json.dumps(to_json(stage.proxies[workload.proxy_id].resources)))
        endpoints = {each["clusterName"]: each for each in plain["endpoints"]}
        routes = {each["name"]: each for each in plain["routes"]}
        for each in (*plain["clusters"], *plain["listeners"]):
            _inline(each, routes)
        own = f"{i} "
        names = {each["name"] for each in plain["clusters"]}
        made = [_static(each, endpoints) for each in plain["clusters"]]
        clusters += [_renamed(each, names, own) for each in made]
        listeners += [
            {**_renamed(each, names, own), "name": own + each["name"]} for each in plain["listeners"]
        ]
        secrets.append(_own(issued(authority, workload.identity), f"{own}default"))
    resources = {"clusters": clusters, "listeners": listeners, "secrets": secrets}
    return {
        "node": {"id": "all", "cluster": "all"},
        "admin": {"address": {"pipe": {"path": admin}}},
        "staticResources": resources,
    }


def _renamed(value: Any, clusters: set[str], own: str) -> Any:
    if isinstance(value, dict):
        if "sdsConfig" in value:
            return {
                "name": "ROOTCA"
                if "ROOTCA" in value["name"] or "cacert" in value["name"]
                else f"{own}default"
            }
        return {key: _renamed(each, clusters, own) for key, each in value.items()}
    if isinstance(value, list):
        return [_renamed(each, clusters, own) for each in value]
    return own + value if isinstance(value, str) and value in clusters else value


@cache
def issued(authority: Authority, identity: Identity) -> Certificate:
    return authority.issue(identity)


def _root(authority: Authority) -> Plain:
    trusted = {"inlineBytes": base64.b64encode(authority.root_pem).decode()}
    return {"name": "ROOTCA", "validationContext": {"trustedCa": trusted}}


def _own(certificate: Certificate, name: str) -> Plain:
    parts = {"certificateChain": certificate.chain_pem, "privateKey": certificate.key_pem}
    inline = {part: {"inlineBytes": base64.b64encode(pem).decode()} for part, pem in parts.items()}
    return {"name": name, "tlsCertificate": inline}


def _application(port: int, name: str) -> Plain:
    told = {"at": name, "path": "%REQ(:PATH)%", "authority": "%REQ(:AUTHORITY)%"}
    told["attempt"] = "%REQ(x-envoy-attempt-count)%"
    told |= {header: f"%REQ({header})%" for header in ECHOED}
    headers = [{"header": {"key": f"got-{key}", "value": value}} for key, value in told.items()]
    failing = {"prefix": "/", "headers": [{"name": "x-fail", "presentMatch": True}]}
    routes = [
        {"match": failing, "directResponse": {"status": 503}},
        {"match": {"prefix": "/"}, "directResponse": {"status": 200}},
    ]
    host = {"name": "any", "domains": ["*"], "routes": routes, "responseHeadersToAdd": headers}
    manager = {
        "@type": _MANAGER,
        "statPrefix": "application",
        "routeConfig": {"virtualHosts": [host]},
        "httpFilters": [{"name": "envoy.filters.http.router", "typedConfig": {"@type": _ROUTER}}],
    }
    chain = {"filters": [{"name": "http", "typedConfig": manager}]}
    address = {"socketAddress": {"address": "127.0.0.1", "portValue": port}}
    return {"name": f"application {port}", "address": address, "filterChains": [chain]}


@contextmanager
def running(stage: Stage, authority: Authority, folder: Path) -> Iterator[None]:
    """It listens on every port while the context lasts. Raises AssertionError with its own words when it does not start."""
    path, admin = folder / "envoy.json", folder / "admin.sock"
    admin.unlink(missing_ok=True)
    path.write_text(json.dumps(config(stage, authority, str(admin))))
    command = [
        str(envoy_binary()),
        "-c",
        str(path),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        LEVEL,
    ]
    with (folder / "envoy.log").open("w+") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _live(process, admin, folder)
            yield
        finally:
            process.kill()
            process.wait(10)


def _live(process: subprocess.Popen[bytes], admin: Path, folder: Path) -> None:
    end = time.monotonic() + _PATIENCE
    while not _ready(admin):
        said = (folder / "envoy.log").read_text()
        if process.poll() is not None and "Address already in use" in said:
            raise PortTaken
        assert process.poll() is None, f"envoy ended: {said[-3000:]}"
        assert time.monotonic() < end, f"envoy is not ready: {said[-3000:]}"
        time.sleep(0.02)


def _ready(admin: Path) -> bool:
    connection = http.client.HTTPConnection("admin")
    connection.sock = socket.socket(socket.AF_UNIX)
    try:
        connection.sock.connect(str(admin))
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
