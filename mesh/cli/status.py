"""`mesh status`: workloads, identities, certificates and what their proxies have accepted."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from mesh.cli.mesh_api import Api, allocated, owner, ready
from mesh.cli.project import file_option, locate
from mesh.local import observatory
from mesh.local.paths import Paths

Object = dict[str, Any]
#: In a pipe a row is a line.
_WIDE = 240


@click.command("status")
@file_option
@click.option("--output", "-o", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(file: Path | None, output: str) -> None:
    """What runs, who it is, and whether its proxy has accepted its configuration."""
    paths = Paths.below(locate(file).parent)
    watching = observatory.find(paths)
    found = {
        **status(Api(paths.kubeconfig)),
        "observatory": {"otlp": watching.endpoint, "url": watching.url} if watching else None,
        "problems": problems(paths),
    }
    if output == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        _print(found)


def problems(paths: Paths) -> list[str]:
    """What is wrong with files, which are then not applied, or has become wrong with the objects of the mesh."""
    try:
        said = json.loads(paths.progress.read_text())
    except (OSError, ValueError):
        return []
    return [*(f"not applied: {text}" for text in said["refused"]), *said["problems"]]


def status(api: Api) -> Object:
    """``workloads`` and ``services``, as `mesh status -o json` prints them."""
    services = api.services()
    names = sorted({(p["metadata"]["namespace"], owner(p)) for p in api.pods})
    return {
        "workloads": [_workload(api, services, namespace, name) for namespace, name in names],
        "services": services,
    }


def _workload(api: Api, services: list[Object], namespace: str, name: str) -> Object:
    pods = [p for p in api.pods if owner(p) == name and p["metadata"]["namespace"] == namespace]
    proxies = [p.get("status", {}).get("proxy") or {} for p in pods]
    expiries = sorted(p["certificateExpires"] for p in proxies if p.get("certificateExpires"))
    rejected = [p["rejected"] for p in proxies if p.get("rejected")]
    account = pods[0]["spec"].get("serviceAccountName", "default")
    return {
        "name": name,
        "namespace": namespace,
        "ready": all(map(ready, pods)),
        "identity": next(
            (p["identity"] for p in proxies if p.get("identity")),
            f"spiffe://cluster.local/ns/{namespace}/sa/{account}",
        ),
        "certificate_expires": expiries[0] if expiries else None,
        "proxy": {
            "acked": bool(proxies) and all(p.get("acked") for p in proxies),
            "version": next((p["version"] for p in proxies if p.get("version")), ""),
            "rejected": rejected[0] if rejected else None,
        },
        "addresses": _addresses(services, name),
        "pods": [_pod(p) for p in pods],
    }


def _addresses(services: list[Object], workload: str) -> Object:
    return {port: at for s in services if workload in s["workloads"] for port, at in s["addresses"].items()}


def _pod(pod: Object) -> Object:
    """One pod; ``reason`` says why it is not ready."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    waiting = [s["state"]["waiting"] for s in statuses if "waiting" in s["state"]]
    reason = next((f"{w.get('reason', '')}: {w.get('message', '')}".strip(": ") for w in waiting), None)
    return {
        "name": pod["metadata"]["name"],
        "ready": ready(pod),
        "restarts": sum(s["restartCount"] for s in statuses),
        "reason": reason,
        "ports": allocated(pod),
    }


def _print(found: Object) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("WORKLOAD", "READY", "PROXY", "IDENTITY", "CERTIFICATE UNTIL", "ADDRESS"):
        table.add_column(column, overflow="fold")
    for each in found["workloads"]:
        table.add_row(
            f"{each['namespace']}/{each['name']}",
            _ready(each),
            _proxy(each["proxy"]),
            each["identity"].removeprefix("spiffe://"),
            each["certificate_expires"] or "-",
            ", ".join(each["addresses"].values()),
        )
    Console(width=None if sys.stdout.isatty() else _WIDE).print(table)
    for each in found["workloads"]:
        for pod in each["pods"]:
            if pod["reason"]:
                click.echo(f"{pod['name']}: {pod['reason']}")
    for text in found["problems"]:
        click.echo(text)


def _ready(workload: Object) -> str:
    pods = workload["pods"]
    return f"{sum(p['ready'] for p in pods)}/{len(pods)}"


def _proxy(proxy: Object) -> str:
    if proxy["rejected"]:
        return f"rejected: {proxy['rejected']}"
    return f"accepted {proxy['version'][:8]}" if proxy["acked"] else "waiting"
