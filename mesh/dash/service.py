"""One service as the page shows it: its methods and their contract, who may call them by which line, and a call of one. Used by app."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from mesh.dash.calls import by_method
from mesh.dash.explained import explained
from mesh.dash.fetch import Unreachable
from mesh.dash.findings import about, origin
from mesh.dash.graph import Kind
from mesh.dash.inventory import Inventory, ports, ready
from mesh.dash.jaeger import Wanted
from mesh.dash.kubernetes import KINDS
from mesh.dash.malformed import Malformed
from mesh.dash.sources import Sources
from mesh.dash.splits import qualified

Object = dict[str, Any]
Asked = Mapping[str, Any]

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")
_METHOD: Final = re.compile(r"[A-Za-z_][\w.]{0,200}/[A-Za-z_]\w{0,100}")
_LARGEST: Final = 256 * 1024
_SECONDS: Final = 15.0
_LOOKED_AT: Final = 300
_WINDOW: Final = 300
_ABOUT: Final = (
    "VirtualService",
    "DestinationRule",
    "AuthorizationPolicy",
    "PeerAuthentication",
    "Sidecar",
    "Gateway",
)


def service(sources: Sources, asked: Asked, now: Callable[[], float]) -> Any:
    """Its ports, workloads, rules, methods and how they do. Raises Malformed."""
    inventory, found = _found(sources, asked)
    namespace, name = found["metadata"]["namespace"], found["metadata"]["name"]
    alone = tuple(
        id_
        for id_, each in inventory.workloads.items()
        if (each.namespace, each.service) == (namespace, name)
    )
    behind = inventory.behind.get(f"{namespace}/{name}", alone)
    apps = sorted({inventory.workloads[id_].service for id_ in behind}) or [name]
    return {
        "namespace": namespace,
        "name": name,
        "host": _host(found),
        "ports": [
            {"name": each.get("name", ""), "number": each["port"]}
            for each in found["spec"].get("ports") or ()
        ],
        "workloads": list(behind),
        "rules": _rules(inventory, behind),
        "methods": _methods(sources, inventory, behind, apps[0], now),
        "callers": sorted(id_ for id_ in inventory.workloads if id_ not in behind),
    }


def _found(sources: Sources, asked: Asked) -> tuple[Inventory, Object]:
    namespace, name = str(asked.get("namespace") or ""), str(asked.get("service") or "")
    if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise Malformed("say of which service, and in which namespace")
    inventory = Inventory.of(sources.kubernetes.objects())
    for each in inventory.by_kind.get("Service", ()):
        if (each["metadata"]["namespace"], each["metadata"]["name"]) == (namespace, name):
            return inventory, each
    if any((each.namespace, each.service) == (namespace, name) for each in inventory.workloads.values()):
        return inventory, {
            "metadata": {"namespace": namespace, "name": name},
            "spec": {},
        }  # it calls, and is not called
    raise Malformed(f"there is no service {namespace}/{name}")


def _host(obj: Object) -> str:
    return f"{obj['metadata']['name']}.{obj['metadata']['namespace']}.svc.cluster.local"


def _rules(inventory: Inventory, behind: Sequence[str]) -> list[Object]:
    found = (each for kind in _ABOUT for each in inventory.by_kind.get(kind, ()))
    return [
        {
            "kind": each["kind"],
            "namespace": each["metadata"]["namespace"],
            "name": each["metadata"]["name"],
            "written": KINDS[each["kind"]][2],
            "said": origin(each),
        }
        for each in found
        if set(about(each, inventory)) & set(behind)
    ]


def _methods(
    sources: Sources, inventory: Inventory, behind: Sequence[str], app: str, now: Callable[[], float]
) -> list[Object]:
    """By reflection on this machine; elsewhere those that were called."""
    namespace = behind[0].partition("/")[0] if behind else ""
    seen = _seen(sources, app, namespace, now)
    reflected = _reflected(sources, inventory, behind)
    known = {each["path"]: each for each in reflected}
    paths = [*known, *(path for path in sorted(seen) if path not in known and not path.startswith("grpc."))]
    nothing = {"streams": "", "options": {}, "example": "{}"}
    return [{"path": path, **{**nothing, **known.get(path, {})}, "seen": seen.get(path)} for path in paths]


def _seen(sources: Sources, app: str, namespace: str, now: Callable[[], float]) -> Mapping[str, Any]:
    """In traces; a sidecar may call itself ``catalog.shop`` where its service is ``catalog``."""
    if sources.jaeger is None:
        return {}
    end = int(now() * 1e6)
    start = end - _WINDOW * 1_000_000
    try:
        names = [each for each in sources.jaeger.services() if each in (app, f"{app}.{namespace}")]
        found = (
            sources.jaeger.search(Wanted(each, start=start, end=end, limit=_LOOKED_AT)) for each in names
        )
        traces = {trace[0].trace_id: trace for some in found for trace in some}
    except Unreachable:
        return {}
    return by_method(traces.values(), app, _WINDOW)


def _reflected(sources: Sources, inventory: Inventory, behind: Sequence[str]) -> list[Object]:
    """Of the process itself, at the port that it has on this machine: no policy is asked."""
    if not sources.local:
        return []
    from mesh.local.grpc_methods import methods

    for at in _applications(inventory, behind):
        if found := methods(at):
            return [asdict(each) for each in found]
    return []


def _applications(inventory: Inventory, behind: Sequence[str]) -> Iterator[str]:
    """Where the processes themselves listen on this machine, of pods that are ready."""
    for pod in (pod for id_ in behind for pod in inventory.workloads[id_].pods if ready(pod)):
        yield from (f"127.0.0.1:{at}" for at in (ports(pod).get("application") or {}).values())


def explain(sources: Sources, asked: Asked) -> Any:
    """What a call from a workload to a method would meet, by which lines. Raises Malformed."""
    inventory, target = _found(sources, asked)
    caller = str(asked.get("caller") or "")
    workload = inventory.workloads.get(caller)
    if workload is None:
        raise Malformed(f"there is no workload {caller}")
    port = next((each["port"] for each in target["spec"].get("ports") or ()), "")
    inside = f"{_host(target)}:{port}"
    to = outside(inventory, target) if inventory.kind(workload) is Kind.GATEWAY else inside
    return explained(sources, caller, to or inside, str(asked.get("method") or ""))


def outside(inventory: Inventory, target: Object) -> str:
    """A host by which outside callers know the service: one of a VirtualService that leads to it; "" when there is none."""
    namespace = target["metadata"]["namespace"]
    mine = f"{namespace}/{target['metadata']['name']}"
    for each in inventory.by_kind.get("VirtualService", ()):
        spec, where = each.get("spec") or {}, each["metadata"]["namespace"]
        routes = (place for http in spec.get("http") or () for place in http.get("route") or ())
        leads = (qualified(str((place.get("destination") or {}).get("host", "")), where) for place in routes)
        if mine in leads:
            hosts = (str(host) for host in spec.get("hosts") or ())
            found = next(
                (
                    host
                    for host in hosts
                    if qualified(host, where) not in inventory.behind and "*" not in host
                ),
                "",
            )
            if found:
                return found
    return ""


def call(sources: Sources, asked: Asked) -> Any:
    """Made from the place of a workload of this machine; traced, so that it can be followed. Raises Malformed."""
    if not sources.local:
        raise Malformed(
            "calls are made on this machine only: on a cluster, kubectl port-forward and grpcurl make them"
        )
    inventory, target = _found(sources, asked)
    method, request = str(asked.get("method") or ""), asked.get("request")
    if not _METHOD.fullmatch(method):
        raise Malformed("a method is package.Service/Method")
    if not isinstance(request, str) or len(request) > _LARGEST:
        raise Malformed("a request is JSON")
    try:
        json.loads(request)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"the request is no JSON: {error}") from None
    listener = _listener(inventory, str(asked.get("caller") or ""), target)
    namespace, name = target["metadata"]["namespace"], target["metadata"]["name"]
    described = next(_applications(inventory, inventory.behind.get(f"{namespace}/{name}", ())), "")
    return _called(listener, method, request, described)


def _listener(inventory: Inventory, caller: str, target: Object) -> str:
    """Where the caller's sidecar listens for calls to the service."""
    workload = inventory.workloads.get(caller)
    if workload is None:
        raise Malformed(f"there is no workload {caller}")
    pod = next((each for each in workload.pods if ready(each)), workload.pods[0])
    for port in target["spec"].get("ports") or ():
        at = (ports(pod).get("outbound") or {}).get(f"{_host(target)}:{port['port']}")
        if at:
            return f"127.0.0.1:{at}"
    raise Malformed(
        f"{caller} cannot reach {target['metadata']['name']}: it is not in the scope of its Sidecar"
    )


def _called(address: str, method: str, request: str, described: str) -> Object:
    from mesh.local.grpc_call import call as made
    from mesh.observe.edges import STATUSES

    trace = secrets.token_hex(16)
    began = time.monotonic()
    metadata = [("traceparent", f"00-{trace}-{secrets.token_hex(8)}-01")]
    answer = made(address, method, request, metadata, _SECONDS, described)
    return {
        "status": STATUSES[answer.code] if answer.code < len(STATUSES) else str(answer.code),
        "milliseconds": (time.monotonic() - began) * 1000,
        "messages": list(answer.messages),
        "metadata": [list(each) for each in answer.metadata],
        "error": answer.error,
        "trace": trace,
    }
