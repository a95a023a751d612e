"""`mesh xds`: the Envoy configuration that manifests become, as `oracle dump` prints istiod's."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command("xds")
@click.argument("files", nargs=-1, required=True)
@click.option(
    "--placement",
    type=click.Choice(["cluster", "local"]),
    default="cluster",
    show_default=True,
    help="Where traffic is captured, or on one machine, with ports counted up from 20001.",
)
def command(files: tuple[str, ...], placement: str) -> None:
    """Print, for every proxy of the manifests in FILES, its clusters, endpoints, listeners and routes as JSON.

    "-" reads standard input. What is wrong with the manifests goes to standard error; `mesh check` is the command that judges.
    """
    from mesh.compile import Compiler
    from mesh.compile.placement import numbered
    from mesh.envoy.patching import linked
    from mesh.envoy.snapshot import to_json
    from mesh.model.mesh import CLUSTER
    from mesh.resources.object import parse

    parsed = [parse(_read(file), file) for file in files]
    mesh, problems = linked([each for objects, _ in parsed for each in objects])
    problems = [*(p for _, found in parsed for p in found), *problems]
    compiler = Compiler(mesh, numbered(mesh) if placement == "local" else CLUSTER)
    proxies = {}
    for workload in mesh.workloads:
        snapshot, found = compiler.compile(workload)
        proxies[workload.proxy_id] = to_json(snapshot)
        problems += found
    for problem in dict.fromkeys(problems):
        click.echo(problem, err=True)
    click.echo(json.dumps(proxies))


def _read(file: str) -> str:
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text()
    except OSError as error:
        raise click.FileError(file, error.strerror or str(error)) from error
