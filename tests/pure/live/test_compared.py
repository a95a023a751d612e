"""What proxies run, read from their config dumps, is compared with what the objects and the files say."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict

from mesh.compile import Compiler
from mesh.envoy import configdump
from mesh.envoy.configdump import Dump
from mesh.envoy.snapshot import Snapshot
from mesh.explain.answer import Verdict
from mesh.explain.question import Question
from mesh.link.link import link
from mesh.live import objects
from mesh.live.compared import compared
from mesh.live.scene import Live
from mesh.model.mesh import Mesh
from mesh.model.service import Workload
from mesh.resources.object import parse

MESH = Path(__file__).parents[1] / "explain" / "mesh.yaml"
GET = Question("client", "web", "Get")
TYPE = "type.googleapis.com/envoy.admin.v3"


@cache
def mesh(before: str = "", after: str = "") -> Mesh:
    found, _ = parse(MESH.read_text().replace(before, after) if before else MESH.read_text(), "mesh.yaml")
    return link(found)[0]


def page(snapshot: Snapshot) -> dict[str, Any]:
    """As an Envoy with these resources prints it."""

    def plain(kind: str, url: str) -> list[dict[str, Any]]:
        messages = getattr(snapshot, kind).values()
        made = [MessageToDict(each, preserving_proto_field_name=True) for each in messages]
        return [{"@type": f"type.googleapis.com/envoy.config.{url}", **each} for each in made]

    clusters = [{"cluster": each} for each in plain("clusters", "cluster.v3.Cluster")]
    listeners = [
        {"name": each["name"], "active_state": {"listener": each}}
        for each in plain("listeners", "listener.v3.Listener")
    ]
    routes = [{"route_config": each} for each in plain("routes", "route.v3.RouteConfiguration")]
    endpoints = plain("endpoints", "endpoint.v3.ClusterLoadAssignment")
    return {
        "configs": [
            {"@type": f"{TYPE}.BootstrapConfigDump"},
            {"@type": f"{TYPE}.ClustersConfigDump", "dynamic_active_clusters": clusters},
            {"@type": f"{TYPE}.ListenersConfigDump", "dynamic_listeners": listeners},
            {"@type": f"{TYPE}.RoutesConfigDump", "dynamic_route_configs": routes},
            {
                "@type": f"{TYPE}.EndpointsConfigDump",
                "dynamic_endpoint_configs": [{"endpoint_config": each} for each in endpoints],
            },
        ]
    }


def dump(of: Mesh, workload: Workload) -> Dump:
    return configdump.read(page(Compiler(of).compile(workload)[0]))


def live(wanted: Mesh, runs: Mesh) -> Live:
    return Live(wanted, lambda workload, _: page(Compiler(runs).compile(workload)[0]))


def test_a_dump_reads_as_what_was_sent() -> None:
    for workload in mesh().workloads:
        sent, _ = Compiler(mesh()).compile(workload)
        assert dump(mesh(), workload).snapshot.version == sent.version


def test_proxies_that_do_what_is_written_have_nothing_to_tell() -> None:
    found = compared(GET, live(mesh(), mesh()))
    assert (found.verdict, found.differs) == (Verdict.ALLOWED, ())


def test_a_change_that_a_proxy_has_not_taken_is_shown() -> None:
    changed = mesh(
        "weight: 80}\n        - {destination: {host: web, subset: v2}, weight: 20",
        "weight: 60}\n        - {destination: {host: web, subset: v2}, weight: 40",
    )
    found = compared(GET, live(changed, mesh()))
    assert [round(each.share, 6) for each in found.destinations] == [0.8, 0.2]
    (said,) = found.differs
    assert said.startswith("goes to: the objects say 60% default/web-v1 1 endpoint, mTLS, 40% default/web-v2")
    assert "; the proxies do 80% default/web-v1" in said


def test_a_policy_that_a_proxy_has_not_taken_is_another_verdict() -> None:
    changed = mesh("paths: [/web.Web/Get, /web.Web/Put]", "paths: [/web.Web/Put]")
    found = compared(GET, live(changed, mesh()))
    assert found.verdict is Verdict.ALLOWED
    assert found.differs == (
        "verdict: the objects say refused; the proxies do allowed",
        "why: the objects say no rule allows it (403); the proxies do nothing",
    )


def test_files_are_compared_but_for_the_number_of_endpoints() -> None:
    scaled = mesh("replicas: 2", "replicas: 5")
    written = compared(GET, live(mesh(), mesh()))
    assert compared(GET, live(scaled, scaled), written).differs == ()
    slower = compared(GET, live(mesh("timeout: 3s", "timeout: 9s"), mesh("timeout: 3s", "timeout: 9s")))
    assert (
        compared(GET, live(mesh(), mesh()), slower).differs[0].startswith("fails: the files say 3 attempts")
    )


def test_what_a_proxy_refuses_is_said_in_its_own_words() -> None:
    given = page(Compiler(mesh()).compile(mesh().workloads[0])[0])
    listeners = given["configs"][2]["dynamic_listeners"]
    listeners[0]["error_state"] = {"details": "no such filter"}
    listeners[1]["warming_state"] = {}
    found = configdump.read(given)
    assert [(each.kind, each.why) for each in found.unsettled] == [
        ("listener", "no such filter"),
        ("listener", ""),
    ]
    first = mesh().workloads[0]
    runs = Live(mesh(), lambda w, _: given if w is first else page(Compiler(mesh()).compile(w)[0]))
    said = compared(GET, runs).differs
    assert said[0].startswith("the proxy of default/web-v1-0 refuses its listener ")
    assert said[0].endswith(": no such filter")


def test_filters_of_nobody_we_know_keep_their_names() -> None:
    given = page(Compiler(mesh()).compile(mesh().workloads[0])[0])
    chain = given["configs"][2]["dynamic_listeners"][0]["active_state"]["listener"]
    chain["listener_filters"] = [
        {"name": "istio.own", "typed_config": {"@type": "type.googleapis.com/istio.envoy.Own", "a": 1}}
    ]
    found: Any = next(iter(configdump.read(given).snapshot.listeners.values()))
    assert [each.name for each in found.listener_filters] == ["istio.own"]


def test_objects_of_an_api_are_those_of_files() -> None:
    """Items of core lists say no kind; what an API does not have is an empty list."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for each in parse(MESH.read_text(), "mesh.yaml")[0]:
        version = f"/apis/{each.api_version}" if "/" in each.api_version else f"/api/{each.api_version}"
        plural = f"{each.kind.lower()}s".replace("ys", "ies")
        core = each.api_version == "v1"
        kept = {k: v for k, v in each.raw.items() if not core or k not in ("kind", "apiVersion")}
        lists.setdefault(f"{version}/{plural}", []).append(kept)
    settings = {"data": {"mesh": "accessLogFile: /dev/stdout\n"}}
    lists["/api/v1/namespaces/istio-system/configmaps?fieldSelector=metadata.name%3Distio"] = [settings]
    found, pods = objects.read(lambda path: {"items": lists.get(path)})
    kinds = [each.kind for each in found]
    assert pods == []
    assert sorted(kinds) == [
        "AuthorizationPolicy", "DestinationRule", "MeshConfig", "Namespace", "PeerAuthentication",
        "Service", "Service", "Sidecar", "VirtualService",
    ]  # fmt: skip
    assert link(found)[0].config.access_log_file == "/dev/stdout"
