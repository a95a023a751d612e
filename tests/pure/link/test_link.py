"""The Mesh holds what a cluster would hold; a security policy that cannot be used fails closed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from mesh.link.link import link
from mesh.model.mesh import Config, Mesh
from mesh.resources.istio.security import Action, MutualTLS, Rule
from mesh.resources.object import Object, parse
from tests.pure.link.cases import Case, linked, mesh
from tests.pure.link.test_mistakes import ALL

REFUSED = [case for case in ALL if not case.taken]
CLOSED = ("AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication")


def configs(made: Mesh) -> Iterator[Config[Any]]:
    yield from (*made.virtual_services, *made.destination_rules, *made.gateways, *made.sidecars)
    yield from (*made.peer_authentications, *made.authorization_policies)


def linked_text(text: str) -> Mesh:
    return link([*mesh(), *parse(text, "a.yaml")[0]])[0]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.name)
def test_what_a_cluster_refuses_is_not_in_the_mesh(case: Case) -> None:
    objects, made, _ = linked(case)
    held = [config.source for config in configs(made) if config.source in objects]
    assert all(each is not None and each.kind in CLOSED for each in held)
    services = {(service.namespace, service.name) for service in made.services}
    assert not {(o.metadata.namespace, o.metadata.name) for o in objects if o.kind == "Service"} & services


@pytest.mark.parametrize(
    "policy",
    [
        "spec: {action: DENY}",
        "spec: {action: CUSTOM, rules: [{}]}",
        "spec: {rules: [{from: [{source: {ipBlocks: [a]}}]}]}",
        "spec: {rulez: []}",
        "spec: 3",
        "spec: {rules: [{from: [{source: {namespaces: 3}}]}]}",
    ],
)
def test_an_unusable_authorization_policy_denies_everything(policy: str) -> None:
    text = f"apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: a, namespace: shop}}\n{policy}\n"
    made = linked_text(text).authorization_policies
    assert [(p.name, p.namespace, p.spec.action, p.spec.rules) for p in made] == [
        ("a", "shop", Action.DENY, (Rule(),))
    ]
    assert made[0].spec.selector is None


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("{matchLabels: {app: catalog}}", {"app": "catalog"}),
        ("{matchLabels: {app: 'cat*'}}", None),
        ("{matchLabels: {app: 1}}", None),
        ("{matchLabels: {}, labels: {app: catalog}}", None),
        ("catalog", None),
    ],
)
def test_it_denies_the_workloads_that_it_selects_beyond_doubt_or_all(
    selector: str, selected: dict[str, str] | None
) -> None:
    head = (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: a, namespace: shop}\n"
    )
    (policy,) = linked_text(f"{head}spec: {{selector: {selector}, action: DENY}}\n").authorization_policies
    assert (policy.spec.selector and policy.spec.selector.match_labels) == selected


@pytest.mark.parametrize(
    "spec", ["{mtls: {mode: STRIKT}}", "{portLevelMtls: {80: {mode: DISABLE}}}", "{a: b}"]
)
def test_an_unusable_peer_authentication_takes_mutual_tls_only(spec: str) -> None:
    text = f"apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: {{name: a, namespace: shop}}\nspec: {spec}\n"
    (policy,) = linked_text(text).peer_authentications
    assert policy.spec.mtls is not None
    assert policy.spec.mtls.mode is MutualTLS.STRICT


def test_of_two_objects_with_one_name_the_first_counts() -> None:
    head = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a, namespace: shop}\n"
    made = linked_text(f"{head}spec: {{host: orders}}\n---\n{head}spec: {{host: catalog}}\n")
    assert [rule.spec.host for rule in made.destination_rules if rule.name == "a"] == [
        "orders.shop.svc.cluster.local"
    ]


def test_the_order_of_the_objects_changes_nothing_but_their_numbers() -> None:
    rules = "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: %s, namespace: shop}\nspec: {host: orders}\n"
    texts = [rules % name for name in "abc"]
    found = {
        tuple(r.name for r in linked_text("---\n".join(each)).destination_rules)
        for each in itertools.permutations(texts)
    }
    assert found == {("a", "b", "c", "catalog")}


def test_the_older_object_comes_first_whatever_its_name() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: z, namespace: shop, creationTimestamp: "2024-01-01T00:00:00Z"}
spec: {hosts: [orders], http: [{route: [{destination: {host: orders}}]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: shop, creationTimestamp: "2025-01-01T00:00:00Z"}
spec: {hosts: [orders], http: [{route: [{destination: {host: orders}}]}]}
"""
    objects = [*mesh(), *parse(text, "a.yaml")[0]]
    made, problems = link(objects)
    assert [rule.name for rule in made.virtual_services] == ["z", "a"]
    assert [(p.code, p.place.line) for p in problems] == [("MW0207", 10)]


def test_names_are_completed_with_the_namespace_of_who_uses_them() -> None:
    text = """
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: a, namespace: other}
spec:
  hosts: [orders, orders.shop, "*.example.com", 10.0.0.1]
  gateways: [mesh, front, shop/front, ./front, front.shop.svc.cluster.local]
  http: [{route: [{destination: {host: catalog.shop.svc.cluster.local}}], mirror: {host: orders}}]
"""
    (rule,) = linked_text(text).virtual_services
    assert rule.spec.hosts == ("orders.other.svc.cluster.local", "orders.shop", "*.example.com", "10.0.0.1")
    assert rule.spec.gateways == ("mesh", "other/front", "shop/front", "other/front", "shop/front")
    assert rule.spec.http[0].mirror is not None
    assert rule.spec.http[0].mirror.host == "orders.other.svc.cluster.local"


def test_a_problem_is_told_once_and_in_the_order_of_the_places() -> None:
    objects: list[Object[Any]] = parse(
        "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 0}, {port: 0}]}\n",
        "b.yaml",
    )[0]
    problems = link([*objects, *objects])[1]
    assert problems == sorted(set(problems))
    assert len(problems) > 2


@pytest.mark.parametrize(
    ("slice_", "found"),
    [
        ("ports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.0.0.1]}]", ["10.0.0.1"]),
        (
            "ports: [{name: http, port: 80}]\nendpoints: [{addresses: [10.0.0.1], conditions: {ready: false}}]",
            [],
        ),
        ("ports: [{name: other, port: 80}]\nendpoints: [{addresses: [10.0.0.1]}]", []),
        ("ports: 3\nendpoints: [{addresses: [10.0.0.1]}]", []),
        ("ports: [{name: http, port: true}]\nendpoints: [3, {addresses: [[]]}, {addresses: []}]", []),
    ],
)
def test_an_endpoint_slice_answers_for_a_service_that_selects_no_pods(slice_: str, found: list[str]) -> None:
    made = linked_text(
        "apiVersion: v1\nkind: Service\nmetadata: {name: other, namespace: shop}\n"
        "spec: {ports: [{name: http, port: 8000}]}\n---\napiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\n"
        f"metadata: {{name: a, namespace: shop, labels: {{kubernetes.io/service-name: other}}}}\n{slice_}\n"
    )
    (service,) = (each for each in made.services if each.name == "other")
    assert [each.address for each in service.endpoints] == found
