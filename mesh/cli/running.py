"""The mesh that runs which a command asks: the one of mesh.yaml here, or a cluster. Used by explain and test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesh.cli.mesh_api import Api
from mesh.cli.project import file_option, locate

if TYPE_CHECKING:
    from mesh.envoy.configdump import Dump
    from mesh.live.scene import Live
    from mesh.local.paths import Paths
    from mesh.model.service import Workload


def running_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Adds ``--file``, ``--kubeconfig`` and ``--context``."""
    for option in (
        click.option("--context", help="The context of the kubeconfig that names the cluster."),
        click.option(
            "--kubeconfig",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            help="Ask the cluster of this kubeconfig.",
        ),
        file_option,
    ):
        function = option(function)
    return function


def live(file: Path | None, kubeconfig: Path | None, context: str | None) -> Live:
    """The cluster, where one is named, else the mesh of mesh.yaml. Raises ClickException when it cannot be asked."""
    from mesh.local.paths import Paths

    if context or (kubeconfig and not _is_local(kubeconfig)):
        return _cluster(kubeconfig, context)
    if kubeconfig:
        return _local(Paths(kubeconfig.resolve().parent))
    return _local(Paths.below(locate(file).parent))


def _is_local(kubeconfig: Path) -> bool:
    """Whether it is one that `mesh up` has written."""
    return (kubeconfig.resolve().parent / "run").is_dir()


def _local(paths: Paths) -> Live:
    from mesh.link.link import link
    from mesh.live import objects
    from mesh.live.scene import Live
    from mesh.local import ports

    found, pods = objects.read(Api(paths.kubeconfig).get)
    mesh, _ = link(found, running=True)
    return Live(mesh, lambda workload: _local_dump(paths, workload), ports.placement(pods))


def _local_dump(paths: Paths, workload: Workload) -> Dump:
    from mesh.envoy import configdump
    from mesh.live.scene import Unanswered
    from mesh.local import admin

    try:
        return configdump.read(json.loads(admin.get(paths, workload.name, configdump.PATH)))
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        raise Unanswered(f"the proxy of {workload.name} does not answer: {error}") from None


def _cluster(kubeconfig: Path | None, context: str | None) -> Live:
    from mesh.cluster.client import Cluster, Unreachable
    from mesh.envoy import configdump
    from mesh.link.link import link
    from mesh.live import objects
    from mesh.live.scene import Live, Unanswered

    def ask(workload: Workload) -> Dump:
        try:
            return configdump.read(
                json.loads(cluster.admin(workload.namespace, workload.name, configdump.PATH))
            )
        except (Unreachable, ValueError, KeyError) as error:
            raise Unanswered(str(error)) from None

    try:
        cluster = Cluster(kubeconfig, context)
        found, _ = objects.read(cluster.get)
    except Unreachable as error:
        raise click.ClickException(str(error)) from None
    return Live(link(found, running=True)[0], ask)
