"""Documents become typed objects; what is none, of an unknown kind or of the wrong type is said with its line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.kubernetes import Raw
from mesh.resources.object import from_json, parse

SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
RULE = (
    "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: web}\nspec:\n  host: web\n"
)

#: text -> (line, code, severity, a part of the message)
WRONG = {
    "kind: Service\nmetadata: {name: a}\n": (1, "MW0003", "error", "this Service has no apiVersion"),
    "apiVersion: v1\nmetadata: {name: a}\n": (1, "MW0003", "error", "it has no kind"),
    "apiVersion: v1\nkind: 3\n": (1, "MW0003", "error", "it has no kind"),
    "- a\n- b\n": (1, "MW0003", "error", "it has no kind"),
    "text\n": (1, "MW0003", "error", "it has no kind"),
    "apiVersion: v1\nkind: Service\nmetadata: {}\n": (3, "MW0003", "error", "this Service has no name"),
    "apiVersion: v1\nkind: Service\n": (1, "MW0003", "error", "this Service has no name"),
    "apiVersion: v1\nkind: Service\nmetadata: web\n": (3, "MW0103", "error", "metadata: expected a mapping"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: 1}\n": (3, "MW0103", "error", "expected text, found 1"),
    "apiVersion: v1\nkind: Service\nmetadata: {name: y}\n": (
        3,
        "MW0103",
        "error",
        "expected text, found true",
    ),
    "apiVersion: v1\nkind: Servise\nmetadata: {name: a}\n": (2, "MW0104", "error", "no kind Servise in v1"),
    "apiVersion: apps/v1\nkind: Service\nmetadata: {name: a}\n": (2, "MW0104", "error", "no kind Service"),
    RULE.replace("io/v1", "io/v3"): (
        2,
        "MW0104",
        "error",
        "no kind DestinationRule in networking.istio.io/v3",
    ),
    RULE.replace("networking", "security"): (2, "MW0104", "error", "no kind DestinationRule in security"),
    "apiVersion: a.b/v1\nkind: C\nmetadata: {name: a}\n": (2, "MW0004", "warning", "C of a.b/v1 is unknown"),
    "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: a}\n": (
        2,
        "MW0105",
        "warning",
        "a CronJob is kept",
    ),
    SERVICE + "spec: [1]\n": (4, "MW0103", "error", "spec: expected a mapping, found a list"),
    SERVICE + "spec:\n  ports: {port: 80}\n": (5, "MW0103", "error", "spec.ports: expected a list"),
    SERVICE + "spec:\n  ports:\n  - 80\n": (6, "MW0103", "error", "spec.ports[0]: expected a mapping"),
    SERVICE + "spec:\n  ports:\n  - {port: 80.5}\n": (6, "MW0103", "error", "expected a whole number"),
    SERVICE + "spec:\n  ports:\n  - {port: true}\n": (6, "MW0103", "error", "expected a whole number"),
    SERVICE + "spec:\n  ports:\n  - {port: -80}\n": (6, "MW0304", "error", "-80 is negative"),
    SERVICE + "spec:\n  ports:\n  - {port: 4294967296}\n": (6, "MW0304", "error", "is too large"),
    SERVICE + "spec:\n  ports:\n  - {port: 80, targetPort: {a: b}}\n": (
        6,
        "MW0103",
        "error",
        "expected text",
    ),
    SERVICE + "spec:\n  selector: {app: 1.5}\n": (5, "MW0103", "error", "expected text, found 1.5"),
    SERVICE + "spec:\n  publishNotReadyAddresses: 'yes'\n": (5, "MW0103", "error", "expected true or false"),
    SERVICE + "spec:\n  ports:\n  - {port: 80, targetport: 81}\n": (
        6,
        "MW0101",
        "error",
        "no field 'targetport'",
    ),
    SERVICE + "spec:\n  cluster_ip: None\n": (5, "MW0101", "error", "spec has no field 'cluster_ip'"),
    RULE + "  hosts: [web]\n": (6, "MW0101", "error", "spec has no field 'hosts'"),
    RULE + "  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 5}}}\n": (
        6,
        "MW0103",
        "error",
        "a duration",
    ),
    RULE + "  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 5d}}}\n": (
        6,
        "MW0103",
        "error",
        "a duration",
    ),
    RULE + "  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 1.2ms}}}\n": (
        6,
        "MW0304",
        "error",
        "whole",
    ),
    RULE + "  trafficPolicy: {connectionPool: {tcp: {connectTimeout: 9999999h}}}\n": (
        6,
        "MW0103",
        "error",
        "century",
    ),
    RULE + "  trafficPolicy: {loadBalancer: {simple: random}}\n": (
        6,
        "MW0103",
        "error",
        "not one of its names",
    ),
    RULE + "  trafficPolicy: {loadBalancer: {simple: {a: b}}}\n": (
        6,
        "MW0103",
        "error",
        "a mapping is not one",
    ),
    RULE + "  trafficPolicy: {loadBalancer: {localityLbSetting: {}}}\n": (
        6,
        "MW0102",
        "error",
        "spec.trafficPolicy.loadBalancer.localityLbSetting is part of Istio's API",
    ),
    "apiVersion: extensions.istio.io/v1alpha1\nkind: WasmPlugin\nmetadata: {name: a}\n": (
        2,
        "MW0102",
        "error",
        "WasmPlugin",
    ),
    "kind: MeshConfig\ntrustDomian: a.b\n": (2, "MW0101", "error", "this has no field 'trustDomian'"),
    "kind: List\napiVersion: v1\nitems:\n- {kind: Service}\n": (4, "MW0003", "error", "no apiVersion"),
}


@pytest.mark.parametrize(("text", "expected"), WRONG.items(), ids=range(len(WRONG)))
def test_a_mistake_is_said_with_its_line(text: str, expected: tuple[int, str, str, str]) -> None:
    _, problems = parse(text, "a.yaml")
    assert [(p.place.file, p.place.line, p.code, str(p.severity)) for p in problems] == [
        ("a.yaml", *expected[:3])
    ]
    assert expected[3] in problems[0].message
    assert problems[0].fix


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("trafficpolicy", "trafficPolicy"),
        ("subset", "subsets"),
        ("hostname", "host"),
        ("export_to", "exportTo"),
    ],
)
def test_an_unknown_field_comes_with_a_suggestion(written: str, meant: str) -> None:
    _, problems = parse(RULE + f"  {written}: {{}}\n", "a.yaml")
    assert problems[0].fix == f"did you mean {meant}?"


@pytest.mark.parametrize(
    ("kind", "fix"),
    [
        ("VirtualServise", "did you mean VirtualService of networking.istio.io/v1?"),
        ("Deploiment", "did you mean Deployment of apps/v1?"),
        ("Zebra", "check apiVersion and kind"),
    ],
)
def test_an_unknown_kind_comes_with_a_suggestion(kind: str, fix: str) -> None:
    _, problems = parse(
        f"apiVersion: networking.istio.io/v1\nkind: {kind}\nmetadata: {{name: a}}\n", "a.yaml"
    )
    assert problems[0].fix == fix


def test_an_object_with_a_mistake_keeps_the_rest_and_is_broken() -> None:
    objects, problems = parse(RULE + "  subsets: [{name: 1}, {name: b}]\n", "a.yaml")
    assert len(problems) == 1
    assert [subset.name for subset in objects[0].spec.subsets] == ["", "b"]
    assert objects[0].broken


def test_fields_that_only_kubernetes_reads_are_let_pass() -> None:
    text = (
        SERVICE
        + "spec: {sessionAffinity: None, ports: [{port: 80, nodePort: 30000}]}\nstatus: {loadBalancer: {}}\n"
    )
    objects, problems = parse(text, "a.yaml")
    assert problems == []
    assert objects[0].raw["spec"]["sessionAffinity"] == "None"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("1m30s", 90),
        ("1.5s", 1.5),
        (".5s", 0.5),
        ("1h", 3600),
        ("250ms", 0.25),
        ("+2s", 2),
        ("1000us", 0.001),
    ],
)
def test_a_duration_is_gos(text: str, seconds: float) -> None:
    objects, problems = parse(
        RULE + f"  trafficPolicy: {{connectionPool: {{tcp: {{connectTimeout: {text}}}}}}}\n", "a"
    )
    assert problems == []
    assert objects[0].spec.traffic_policy.connection_pool.tcp.connect_timeout == timedelta(seconds=seconds)


def test_some_durations_may_be_zero() -> None:
    text = RULE + "  trafficPolicy: {loadBalancer: {consistentHash: {httpCookie: {name: a, ttl: 0s}}}}\n"
    objects, problems = parse(text, "a.yaml")
    assert problems == []
    assert objects[0].spec.traffic_policy.load_balancer.consistent_hash.http_cookie.ttl == timedelta(0)


def test_an_object_is_in_the_namespace_that_it_or_its_release_names() -> None:
    text = SERVICE + "---\n" + SERVICE.replace("name: web", "name: web, namespace: own")
    text += "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: shop, namespace: x}\n"
    objects, _ = parse(text, "a.yaml", "release")
    assert [each.metadata.namespace for each in objects] == ["release", "own", ""]


def test_the_items_of_a_list_are_objects_with_their_own_lines() -> None:
    item = "- apiVersion: v1\n  kind: Service\n  metadata: {name: web}\n  spec: {ports: 1}\n"
    objects, problems = parse("apiVersion: v1\nkind: List\nitems:\n" + item, "a.yaml")
    assert [each.key for each in objects] == [("Service", "default", "web")]
    assert [p.place.line for p in problems] == [7]


def test_a_mesh_config_is_read_from_its_top_level() -> None:
    objects, problems = parse("kind: MeshConfig\ntrustDomain: example.org\n", "a.yaml")
    assert problems == []
    assert isinstance(objects[0].spec, MeshConfig)
    assert objects[0].spec.trust_domain == "example.org"


def test_kinds_of_unknown_groups_are_kept_unread() -> None:
    objects, _ = parse("apiVersion: a.b/v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: 1}\n", "a.yaml")
    assert isinstance(objects[0].spec, Raw)


def test_an_object_that_came_over_the_api_names_its_origin() -> None:
    data = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"ports": "none"}}
    made, problems = from_json(data, "Service default/web")
    assert made is not None
    assert made.broken
    assert [(str(p.place), p.code) for p in problems] == [("Service default/web", "MW0103")]


@pytest.mark.parametrize("data", [{}, {"kind": None}, {"kind": "Service"}, {"kind": "List", "items": []}])
def test_what_is_no_object_makes_none(data: dict[str, object]) -> None:
    assert from_json(data, "origin")[0] is None
