"""A Pod of the store as the rest of the engine sees it, and its containers as commands of this machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesh.link.expand import of_pod
from mesh.local import environment, keyed, ports
from mesh.local.config import Config, Image, inherited
from mesh.local.container import Spec
from mesh.local.environment import Rewriting
from mesh.local.keyed import Find
from mesh.local.observatory import Observatory
from mesh.local.paths import Paths
from mesh.local.probe import Probe
from mesh.model.service import Kind, Workload
from mesh.resources.object import from_json

Object = Mapping[str, Any]


@dataclass(frozen=True)
class NotHere(Exception):
    """A container cannot run on this machine; ``reason`` is one word for kubectl, ``message`` for people."""

    reason: str
    message: str

    def __str__(self) -> str:
        return self.message


def of(pod: Object, trust_domain: str) -> Workload:
    """The workload that a Pod is."""
    parsed, _ = from_json(pod, f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']}")
    if parsed is None:
        raise ValueError(f"Pod {pod['metadata']['name']} cannot be read")
    return of_pod(parsed, trust_domain)


def container_ports(pod: Object) -> list[int]:
    """Every TCP port that the pod's containers declare."""
    return [
        int(port["containerPort"])
        for container in pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP"
    ]


def is_gateway(workload: Workload) -> bool:
    return workload.kind is Kind.ROUTER


def specs(
    pod: Object, config: Config, paths: Paths, find: Find, observatory: Observatory | None = None
) -> list[Spec]:
    """What to run for each container. Raises NotHere when one cannot run on this machine.

    ``find`` gives the ConfigMaps and Secrets of the pod's namespace. Its telemetry goes to the ``observatory`` unless the chart says
    where else.
    """
    fill(pod, paths, find)
    told = {"OTEL_EXPORTER_OTLP_ENDPOINT": observatory.endpoint} if observatory else {}
    given = ports.of(pod)
    name = pod["metadata"]["name"]
    made = []
    for container in pod["spec"]["containers"]:
        image = _image(container, config)
        rewriting = Rewriting(
            pod["metadata"]["namespace"], given.outbound, given.application, _mounts(pod, container, paths)
        )
        try:
            own = {**told, **environment.environment(pod, container, rewriting, find)}
        except keyed.Missing as missing:
            raise NotHere("CreateContainerConfigError", str(missing)) from missing
        arguments = environment.arguments(container, own, rewriting)
        made.append(_spec(container, image, arguments, own, given.application, config, paths, name))
    return made


def fill(pod: Object, paths: Paths, find: Find) -> None:
    """Makes the pod's volumes, and their files what its ConfigMaps and Secrets now hold. Raises NotHere."""
    for volume in pod["spec"].get("volumes") or ():
        try:
            keyed.fill(volume, paths.volumes / pod["metadata"]["name"] / volume["name"], find)
        except keyed.Missing as missing:
            raise NotHere("FailedMount", f"volume {volume['name']}: {missing}") from missing


def _spec(
    container: Object,
    image: Image,
    arguments: Sequence[str],
    own: Mapping[str, str],
    bound: Mapping[int, int],
    config: Config,
    paths: Paths,
    pod: str,
) -> Spec:
    variables = {**inherited(config.root), **image.env, **own}

    def probe(kind: str) -> Probe | None:
        spec = container.get(kind)
        return Probe(spec, bound, variables) if spec else None

    return Spec(
        name=container["name"],
        image=container["image"],
        command=[image.program(config.root) or image.run[0], *image.run[1:], *arguments],
        environment=variables,
        directory=(config.root / image.cwd).resolve(),
        log=paths.log(pod, container["name"]),
        record=paths.pod(pod) / f"{container['name']}.pid",
        startup=probe("startupProbe"),
        readiness=probe("readinessProbe"),
        liveness=probe("livenessProbe"),
    )


def _image(container: Object, config: Config) -> Image:
    image = config.image(container["image"])
    if image is None:
        raise NotHere("ImageUnknown", f"mesh.yaml names no command for image {container['image']}")
    if image.missing:
        tools = " and ".join(image.missing)
        raise NotHere(
            "MissingToolchain", f"{container['image']} needs {tools}, which is not installed; it is left out"
        )
    return image


def _mounts(pod: Object, container: Object, paths: Paths) -> dict[str, str]:
    """Mount path -> the volume's directory, longest path first."""
    made = {}
    for mount in sorted(container.get("volumeMounts") or (), key=lambda m: -len(m["mountPath"])):
        place = paths.volumes / pod["metadata"]["name"] / mount["name"] / mount.get("subPath", "")
        made[mount["mountPath"]] = str(place)
    return made
