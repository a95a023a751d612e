"""What a change leaves as it is, is not compiled again; what comes out is what compiling everything would give."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mesh.compile.compiler import Compiler
from mesh.compile.successor import succeed
from mesh.link.link import link
from mesh.link.memo import Memo
from mesh.model.mesh import CLUSTER, Mesh
from mesh.resources.object import Object, from_json
from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.mesh import random_mesh

Manifest = dict[str, Any]


class Running:
    """A mesh that is edited: linked and compiled again after each change, as the control plane does."""

    def __init__(self, manifests: list[Manifest]) -> None:
        self.manifests = list(map(placed, manifests, range(len(manifests))))
        self._objects: list[Object[Any] | None] = [from_json(each, "m")[0] for each in self.manifests]
        self._memo = Memo()
        self._compiler: Compiler | None = None
        self.versions: dict[str, str] = {}

    def edit(self, index: int, changed: Manifest) -> None:
        self.manifests[index] = changed
        self._objects[index] = from_json(changed, "m")[0]

    def publish(self) -> tuple[Mesh, int]:
        """The mesh, and how many proxies were compiled for it."""
        mesh, _ = link([each for each in self._objects if each], True, self._memo)
        self._compiler, workloads = succeed(self._compiler, mesh, CLUSTER)
        for each in workloads:
            self.versions[each.proxy_id] = self._compiler.compile(each)[0].version
        return mesh, len(workloads)


def placed(manifest: Manifest, number: int) -> Manifest:
    """A Deployment as a Pod of its own address, as on a running mesh; a Service with an address."""
    made = copy.deepcopy(manifest)
    if made["kind"] == "Deployment":
        template = made["spec"]["template"]
        labels = {**template["metadata"]["labels"], "security.istio.io/tlsMode": "istio"}
        made = {**made, "apiVersion": "v1", "kind": "Pod", "spec": template["spec"]}
        made["metadata"] = {**made["metadata"], "labels": labels}
    if made["kind"] == "Pod":
        made["status"] = {"podIP": f"10.1.{number // 250}.{number % 250 + 1}", **ready(True)}
    if made["kind"] == "Service":
        made["spec"].setdefault("clusterIP", f"10.2.0.{number + 1}")
    return made


def ready(now: bool) -> Manifest:
    return {"phase": "Running", "conditions": [{"type": "Ready", "status": str(now)}]}


def edited(manifest: Manifest, dice: Dice) -> Manifest:
    """One of the changes that come all day, or a larger one."""
    made = copy.deepcopy(manifest)
    kind = made["kind"]
    if kind == "VirtualService":
        route = dice.one(made["spec"]["http"])
        match dice.one(["weights", "timeout", "retries", "match", "headers"]):
            case "weights" if len(route.get("route", ())) > 1:
                for i, each in enumerate(route["route"]):
                    each["weight"] = 100 if i == 0 else 0
            case "timeout":
                route["timeout"] = dice.one(["3s", "4s", "7s"])
            case "retries":
                route["retries"] = {"attempts": dice.number(0, 5)}
            case "headers":
                route["headers"] = {"request": {"set": {"x-new": dice.one(["a", "b"])}}}
            case _:
                route["match"] = [{"uri": {"prefix": dice.one(["/p", "/q"])}}]
    elif kind == "Pod":
        address = made["status"]["podIP"]
        made["status"] = {"podIP": address, **ready(dice.chance(0.5))}
    elif kind == "AuthorizationPolicy" and made["spec"].get("action") != "CUSTOM":
        made["spec"]["rules"] = [{"to": [{"operation": {"paths": [dice.one(["/n", "/m"])]}}]}]
    else:
        made.setdefault("metadata", {}).setdefault("labels", {})["edited"] = dice.one(["1", "2", "3"])
    return made


@pytest.mark.parametrize("seed", range(40))
def test_what_comes_out_is_what_compiling_everything_gives(seed: int) -> None:
    dice = Dice(f"edits/{seed}")
    running = Running(random_mesh(f"edits/{seed}"))
    running.publish()
    for step in range(8):
        index = dice.number(0, len(running.manifests) - 1)
        running.edit(index, edited(running.manifests[index], dice))
        mesh, _ = running.publish()
        whole = Compiler(mesh, CLUSTER)
        for workload in mesh.workloads:
            expected = whole.compile(workload)[0].version
            assert running.versions[workload.proxy_id] == expected, (seed, step, running.manifests[index])


def chain(length: int) -> list[Manifest]:
    """Services that each call the next, and see no other."""
    made: list[Manifest] = []
    for i in range(length):
        name, labels = {"name": f"s{i}", "namespace": "a"}, {"app": f"s{i}"}
        host, called = (f"s{n % length}.a.svc.cluster.local" for n in (i, i + 1))
        route = {"route": [{"destination": {"host": host}}], "timeout": "2s"}
        made += [
            {"apiVersion": "v1", "kind": "Service", "metadata": name, "spec": {"selector": labels, "ports": [{"name": "grpc", "port": 80}]}},
            {"apiVersion": "v1", "kind": "Pod", "metadata": {**name, "labels": {**labels, "security.istio.io/tlsMode": "istio"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}},
            {"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": name, "spec": {"hosts": [host], "http": [route]}},
            {"apiVersion": "networking.istio.io/v1", "kind": "Sidecar", "metadata": name, "spec": {"workloadSelector": {"labels": labels}, "egress": [{"hosts": [f"a/{called}"]}]}},
            {"apiVersion": "security.istio.io/v1", "kind": "AuthorizationPolicy", "metadata": name, "spec": {"selector": {"matchLabels": labels}, "rules": [{}]}},
        ]  # fmt: skip
    return made


@pytest.mark.parametrize(
    ("kind", "change", "touched"),
    [
        ("VirtualService", lambda m: m["spec"]["http"][0].update(timeout="9s"), 1),
        ("AuthorizationPolicy", lambda m: m["spec"].update(rules=[]), 1),
        ("Pod", lambda m: m["status"].update(ready(False)), 1),
        ("VirtualService", lambda m: m["spec"]["http"][0].update(match=[{"uri": {"prefix": "/x"}}]), 20),
        ("Sidecar", lambda m: m["spec"].update(egress=[{"hosts": ["a/*"]}]), 20),
    ],
    ids=["a route's timeout", "a policy", "an endpoint", "what a route matches: all", "a Sidecar: all"],
)
def test_a_change_compiles_those_whom_it_touches(kind: str, change: Any, touched: int) -> None:
    running = Running(chain(20))
    assert running.publish()[1] == 20
    assert running.publish()[1] == 0, "nothing has changed"
    index = next(i for i, each in enumerate(running.manifests) if each["kind"] == kind)
    made = copy.deepcopy(running.manifests[index])
    change(made)
    running.edit(index, made)
    assert running.publish()[1] == touched
