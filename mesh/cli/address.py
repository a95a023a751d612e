"""`mesh address`: where a service can be called from this machine."""

from __future__ import annotations

from pathlib import Path

import click

from mesh.cli.mesh_api import Api, allocated
from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths


@click.command("address")
@file_option
@click.argument("service")
@click.option(
    "--sidecar",
    is_flag=True,
    help="Where a sidecar of the service listens for other workloads, which takes a certificate.",
)
def command(file: Path | None, service: str, sidecar: bool) -> None:
    """Print host:port of SERVICE for outside callers, who come in by the ingress."""
    api = Api(Paths.below(locate(file).parent).kubeconfig)
    found = next((s for s in api.services() if service in (s["name"], s["host"])), None)
    if found is None:
        known = ", ".join(s["name"] for s in api.services())
        raise click.ClickException(f"there is no service {service}; there are: {known}")
    if sidecar:
        pods = (p for p in api.pods if p["metadata"]["labels"].get("app") == found["name"])
        inbound = [f"127.0.0.1:{port}" for pod in pods for port in allocated(pod)["inbound"].values()]
    else:
        inbound = list(found["addresses"].values())
    if not inbound:
        raise click.ClickException(f"{service} cannot be called from outside: no ingress lets anybody in")
    click.echo(inbound[0])
