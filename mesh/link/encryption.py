"""Calls that one side encrypts otherwise than the other takes them: a DestinationRule's TLS against the PeerAuthentications of the pods."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.names import Names
from mesh.link.spot import Spot
from mesh.model.service import Port, Service, Workload
from mesh.resources.istio.destinationrule import ClientTLS, Subset, TLSMode, TrafficPolicy
from mesh.resources.istio.security import MutualTLS
from mesh.resources.problem import Problem


def mismatched(
    at: Spot, policy: TrafficPolicy | None, service: Service, names: Names, subset: Subset | None = None
) -> Iterator[Problem]:
    """The first pod that cannot take the calls, of each TLS setting in the policy at ``at``."""
    if policy is None:
        return
    own = {each.port.number for each in policy.port_level_settings if each.tls}
    pods = _pods(service, names, subset)
    ports = [port for port in service.ports if port.number not in own]
    yield from _setting(at / "tls" / "mode", policy.tls, service, ports, pods, names)
    for i, each in enumerate(policy.port_level_settings):
        here = at / "portLevelSettings" / i / "tls" / "mode"
        chosen = [port for port in service.ports if port.number == each.port.number]
        yield from _setting(here, each.tls, service, chosen, pods, names)


def _pods(service: Service, names: Names, subset: Subset | None) -> list[Workload]:
    wanted = {**service.selector, **(subset.labels if subset else {})}
    return names.pods.selected(service.namespace, wanted) if service.selector else []


def _setting(
    at: Spot, tls: ClientTLS | None, service: Service, ports: list[Port], pods: list[Workload], names: Names
) -> Iterator[Problem]:
    for pod in pods if tls else ():
        for port in ports:
            reason = _refused(tls, port, pod, names) if tls else ""
            if reason:
                text = f"pod {pod.name} of {service.hostname} {reason} on port {port.number}"
                fix = "remove tls: both sides then agree by themselves"
                yield at.problem("MW0403", text, fix)
                return


def _refused(tls: ClientTLS, port: Port, pod: Workload, names: Names) -> str:
    number = pod.serving(port)
    mode = names.peers.for_workload(pod.namespace, pod.labels).for_port(number or port.number)
    if tls.mode is TLSMode.DISABLE and pod.in_mesh and mode is MutualTLS.STRICT:
        return "takes mutual TLS only"
    if tls.mode is TLSMode.ISTIO_MUTUAL and (not pod.in_mesh or mode is MutualTLS.DISABLE):
        return "takes plain text only"
    return ""
