"""`mesh call`: a unary or server-streaming call by reflection, made where a workload makes its own."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from mesh.cli.mesh_api import Api, allocated, is_gateway, owner
from mesh.cli.project import file_option, locate
from mesh.local.paths import Paths

UNAVAILABLE = 14


@click.command("call")
@file_option
@click.argument("service")
@click.argument("method")
@click.argument("request", default="{}")
@click.option("--as", "workload", help="Call from the place of this workload. Default: the ingress.")
@click.option(
    "--header",
    "-H",
    "headers",
    multiple=True,
    metavar="NAME:VALUE",
    help="Request metadata; may be given again.",
)
@click.option("--include", "-i", is_flag=True, help="Show response metadata, too.")
@click.option("--timeout", default=30.0, show_default=True, help="The call's deadline in seconds.")
def command(
    file: Path | None,
    service: str,
    method: str,
    request: str,
    workload: str | None,
    headers: tuple[str, ...],
    include: bool,
    timeout: float,
) -> None:
    """Call METHOD of SERVICE with REQUEST, a JSON object, and print the answer as JSON.

    SERVICE is a service's name in the mesh, METHOD a method's name or its full path (package.Service/Method). The exit code is the gRPC
    status, 0 for OK.
    """
    api = Api(Paths.below(locate(file).parent).kubeconfig)
    address = _address(api, service, workload)
    metadata = [_header(text) for text in headers]
    from mesh.local.grpc_call import Answer, call

    answer: Answer = call(address, method, _request(request), metadata, timeout)
    if include:
        for key, value in answer.metadata:
            click.echo(f"{key}: {value}", err=True)
    for message in answer.messages:
        click.echo(message)
    if answer.code:
        click.echo(answer.error, err=True)
    sys.exit(answer.code)


def _address(api: Api, service: str, workload: str | None) -> str:
    """The loopback listener of the workload's sidecar for the service."""
    target = next(
        (s for s in api.services() if service in (s["name"], s["host"], f"{s['name']}.{s['namespace']}")),
        None,
    )
    if target is None:
        known = ", ".join(s["name"] for s in api.services())
        raise click.ClickException(f"there is no service {service}; there are: {known}")
    pod = api.from_workload(workload) if workload else api.ingress
    if pod is None:
        raise click.ClickException("there is no ingress to call from: say --as WORKLOAD")
    outbound: dict[str, Any] = allocated(pod)["outbound"]
    found = [at for key, at in outbound.items() if key.startswith(f"{target['host']}:")]
    if not found:
        kind = "gateway" if is_gateway(pod) else "Sidecar"
        click.echo(
            f"UNAVAILABLE: {owner(pod)} cannot reach {service}: it is not in the scope of its {kind}",
            err=True,
        )
        sys.exit(UNAVAILABLE)
    return f"127.0.0.1:{found[0]}"


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise click.BadParameter(f"{text!r} is not NAME:VALUE", param_hint="--header")
    return name.strip().lower(), value.strip()


def _request(text: str) -> str:
    try:
        parsed = json.loads(sys.stdin.read() if text == "-" else text)
    except ValueError as error:
        raise click.BadParameter(f"not JSON: {error}", param_hint="REQUEST") from None
    if not isinstance(parsed, dict):
        raise click.BadParameter("a request is a JSON object", param_hint="REQUEST")
    return json.dumps(parsed)
