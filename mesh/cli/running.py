"""The mesh that runs which a command asks: the one of mesh.yaml here, or a cluster. Used by explain and test."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mesh.cli.mesh_api import Api
from mesh.cli.project import file_option, locate

if TYPE_CHECKING:
    from mesh.cluster.client import Cluster
    from mesh.explain.question import Asked
    from mesh.live.proven import Send
    from mesh.live.scene import Live
    from mesh.live.sent import Came, Order
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


@dataclass(frozen=True)
class Running:
    """A mesh that runs, and how to send requests from the places of its workloads."""

    live: Live
    send: Send


def running(file: Path | None, kubeconfig: Path | None, context: str | None) -> Running:
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


def _local(paths: Paths) -> Running:
    from mesh.envoy.patching import linked
    from mesh.live import objects
    from mesh.live.scene import Live
    from mesh.local import admin, ports

    def page(workload: Workload, path: str) -> Any:
        return _decoded(workload, lambda: admin.get(paths, workload.name, path))

    def send(asked: Asked, order: Order) -> list[Came]:
        return _came(visit(order))

    from mesh.live.visit import visit

    found, pods = objects.read(Api(paths.kubeconfig).get)
    mesh, _ = linked(found, running=True)
    return Running(Live(mesh, page, ports.placement(pods)), send)


def _cluster(kubeconfig: Path | None, context: str | None) -> Running:
    from mesh.cluster.client import Cluster, Unreachable
    from mesh.envoy.patching import linked
    from mesh.live import objects
    from mesh.live.scene import Live

    try:
        cluster = Cluster(kubeconfig, context)
        found, pods = objects.read(cluster.get)
    except Unreachable as error:
        raise click.ClickException(str(error)) from None

    def page(workload: Workload, path: str) -> Any:
        return _decoded(workload, lambda: cluster.admin(workload.namespace, workload.name, path))

    def send(asked: Asked, order: Order) -> list[Came]:
        from mesh.explain.scene import Unanswered

        try:
            return _came(_from_pod(cluster, asked.workload, first[asked.workload.key], order))
        except (Unreachable, ValueError) as error:
            raise Unanswered(f"no request can be sent from {asked.workload.name}: {error}") from None

    first = {(p["metadata"]["namespace"], p["metadata"]["name"]): _application(p) for p in pods}

    return Running(Live(linked(found, running=True)[0], page), send)


def _application(pod: Mapping[str, Any]) -> str:
    """The container in which a client can stand: the first that is not the proxy."""
    names: list[str] = [each["name"] for each in pod["spec"]["containers"]]
    return next((name for name in names if name != "istio-proxy"), names[0])


def _from_pod(cluster: Cluster, workload: Workload, container: str, order: Order) -> list[Any]:
    """A gateway is called from outside; from a sidecar's place only its application can call, with the Python that it has."""
    from mesh.live import visit
    from mesh.model.service import Kind

    if workload.kind is Kind.ROUTER:
        return visit.visit(order, lambda to, _: cluster.dial(workload.namespace, workload.name, to[1]))
    script = Path(visit.__file__).read_text()
    printed = cluster.run(
        workload.namespace, workload.name, container, ["python3", "-c", script, json.dumps(order)]
    )
    found: list[Any] = json.loads(printed)
    return found


def _decoded(workload: Workload, get: Callable[[], bytes]) -> Any:
    from mesh.cluster.client import Unreachable
    from mesh.explain.scene import Unanswered

    try:
        return json.loads(get())
    except (Unreachable, OSError, http.client.HTTPException, ValueError) as error:
        raise Unanswered(
            f"the proxy of {workload.namespace}/{workload.name} does not answer: {error}"
        ) from None


def _came(answers: list[Any]) -> list[Came]:
    from mesh.live.sent import Came

    return [Came(*each) for each in answers]
