"""Edits of routing rules: what check says of one before it is made, making it, and what became of it. Used by app."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from mesh.dash import queries
from mesh.dash.editing import divided, put_back, read, text, weighted
from mesh.dash.fetch import Unreachable
from mesh.dash.findings import finding, origin, typed
from mesh.dash.inventory import Inventory, described, owner
from mesh.dash.kubernetes import KINDS
from mesh.dash.malformed import Malformed
from mesh.dash.sources import Sources
from mesh.dash.splits import qualified, splits
from mesh.envoy.patching import linked
from mesh.resources.object import Object as Typed
from mesh.resources.object import parse
from mesh.resources.problem import Problem

Object = dict[str, Any]
Asked = Mapping[str, Any]

#: How a finding names the text that is being edited.
EDITED: Final = "edit"
_LARGEST: Final = 256 * 1024
_MINUTES: Final = 10
_STEP: Final = 5.0
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9.-]{0,250}[a-z0-9])?")


def rules(sources: Sources, asked: Asked) -> Any:
    """Every VirtualService and DestinationRule, in order of kind and name."""
    found = [each for each in sources.kubernetes.objects() if KINDS[each["kind"]][2]]
    ordered = sorted(found, key=lambda each: (each["kind"] != "VirtualService", origin(each)))
    return {"rules": [_line(each) for each in ordered]}


def _line(obj: Object) -> Object:
    spec = obj.get("spec") or {}
    metadata = obj["metadata"]
    return {
        "kind": obj["kind"],
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "hosts": spec.get("hosts") or [spec.get("host", "")],
        "routes": divided(obj),
        "accepted": _accepted(obj),
    }


def _accepted(obj: Object) -> Object | None:
    """What the control plane of `mesh up` says of all proxies together; None where nobody says."""
    status = obj.get("status") or {}
    told = next((each for each in status.get("conditions") or () if each.get("type") == "Accepted"), None)
    if told is None:
        return None
    current = status.get("observedGeneration") == obj["metadata"].get("generation")
    return {
        "by_all": current and told.get("status") == "True",
        "said": told.get("message", ""),
        "current": current,
    }


def rule(sources: Sources, asked: Asked) -> Any:
    """One as text, and what every proxy says. Raises Refused and Malformed."""
    obj = sources.kubernetes.get(*_named(asked))
    hosts = _line(obj)["hosts"]
    return {
        **_line(obj),
        "text": text(obj),
        "version": obj["metadata"].get("resourceVersion", ""),
        "services": [qualified(str(host), obj["metadata"]["namespace"]) for host in hosts],
        "proxies": _proxies(sources.kubernetes.objects()),
    }


def _proxies(objects: Sequence[Object]) -> list[Object]:
    pods = [each for each in objects if each["kind"] == "Pod" and (each.get("status") or {}).get("proxy")]
    return [
        {"workload": owner(each), "namespace": each["metadata"]["namespace"], **asdict(described(each))}
        for each in pods
    ]


def check(sources: Sources, asked: Asked) -> Any:
    """Findings about a text, as it would be among the running objects. Raises Refused and Malformed.

    ``weights`` are set in it before, when they are given with their ``route``.
    """
    given = _text(asked)
    if "weights" in asked:
        given = weighted(given, *_weights(asked))
    before = sources.kubernetes.get(*_named(asked))
    try:
        edited = put_back(read(given), before)
    except Malformed as told:
        return {"text": given, "routes": [], "findings": [_said(str(told))], "changed": True}
    found = _findings(sources.kubernetes.objects(), before, given)
    changed = edited["spec"] != before["spec"] or read(text(edited)) != read(text(before))
    return {"text": given, "routes": divided(edited), "findings": found, "changed": changed}


def _findings(objects: Sequence[Object], before: Object, given: str) -> list[Object]:
    """Of the text, and those of other objects that are there because of it."""
    others = [each for each in objects if origin(each) != origin(before)]
    made, wrong = parse(given, EDITED, before["metadata"]["namespace"])
    known = set(_linked([*others, before]))
    fresh = [
        each for each in [*wrong, *_linked(others, made)] if each.place.file == EDITED or each not in known
    ]
    return [{**asdict(finding(each)), "line": _line_of(each)} for each in sorted(set(fresh))]


def _linked(objects: Sequence[Object], more: Sequence[Typed[Any]] = ()) -> list[Problem]:
    found, problems = typed(objects)
    return [*problems, *linked([*found, *more], running=True)[1]]


def _line_of(problem: Problem) -> int:
    return problem.place.line if problem.place.file == EDITED else 0


def _said(message: str) -> Object:
    return {
        "code": "",
        "severity": "error",
        "message": message,
        "fix": "",
        "object": EDITED,
        "path": "",
        "nodes": [],
        "line": 0,
    }


def apply(sources: Sources, asked: Asked) -> Any:
    """Writes it, unless somebody else did since it was read. Raises Refused and Malformed."""
    kind, namespace, name = _named(asked)
    before = sources.kubernetes.get(kind, namespace, name)
    if not KINDS[kind][2]:
        raise Malformed(f"the page does not write a {kind}")
    made = put_back(read(_text(asked)), before)
    made["metadata"]["resourceVersion"] = str(asked.get("version") or "")
    found = sources.kubernetes.replace(made)
    return {
        "version": found["metadata"].get("resourceVersion", ""),
        "generation": found["metadata"].get("generation"),
    }


def shares(sources: Sources, asked: Asked, now: Callable[[], float]) -> Any:
    """Calls a second to each workload of a service, every five seconds of the last ten minutes. Raises Malformed."""
    namespace, name = str(asked.get("namespace") or ""), str(asked.get("service") or "")
    if not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise Malformed("say of which service, and in which namespace")
    if sources.prometheus is None:
        raise Unreachable("no Prometheus is known here")
    end = now() - now() % _STEP
    start = end - _MINUTES * 60
    query = queries.shares(namespace, name, max(sources.window, 15.0))
    found = sources.prometheus.series(query, start, end, _STEP)
    times = [start + i * _STEP for i in range(int(_MINUTES * 60 / _STEP) + 1)]
    rates = {each.labels.get("destination_workload", ""): dict(each.points) for each in found}
    configured = _configured(sources, f"{namespace}/{name}")
    workloads = sorted({*rates, *configured} - {"", "unknown"})
    return {
        "times": times,
        "workloads": [
            {
                "name": each,
                "rates": [rates.get(each, {}).get(at, 0.0) for at in times],
                "configured": configured.get(each),
            }
            for each in workloads
        ],
    }


def _configured(sources: Sources, service: str) -> dict[str, float]:
    found = splits(Inventory.of(sources.kubernetes.objects())).get(service, {})
    return {id_.rpartition("/")[2]: share for id_, share in found.items()}


def _named(asked: Asked) -> tuple[str, str, str]:
    kind, namespace, name = (str(asked.get(key) or "") for key in ("kind", "namespace", "name"))
    if kind not in KINDS or not _NAME.fullmatch(namespace) or not _NAME.fullmatch(name):
        raise Malformed("say which object: its kind, namespace and name")
    return kind, namespace, name


def _text(asked: Asked) -> str:
    given = asked.get("text")
    if not isinstance(given, str) or len(given) > _LARGEST:
        raise Malformed(f"text is YAML of at most {_LARGEST} characters")
    return given


def _weights(asked: Asked) -> tuple[int, list[int]]:
    route, weights = asked.get("route"), asked.get("weights")
    if (
        not isinstance(route, int)
        or not isinstance(weights, list)
        or not all(isinstance(each, int) for each in weights)
    ):
        raise Malformed("weights are whole numbers, and route says of which one")
    return route, weights
