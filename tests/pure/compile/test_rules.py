"""Which DestinationRule holds, where several are for one host."""

from __future__ import annotations

from mesh.compile.rules import Rules
from mesh.model.identity import Identity
from mesh.model.mesh import Config
from mesh.model.service import Service, Workload
from mesh.resources.istio.destinationrule import (
    DestinationRuleSpec,
    LoadBalancer,
    Subset,
    TrafficPolicy,
)
from mesh.resources.istio.meshconfig import MeshConfig

HOST = "catalog.shop.svc.cluster.local"
CATALOG = Service(HOST, "catalog", "shop", ())
POLICY = TrafficPolicy(load_balancer=LoadBalancer())


def _rule(name: str, namespace: str = "shop", **spec: object) -> Config[DestinationRuleSpec]:
    return Config(name, namespace, DestinationRuleSpec(**{"host": HOST, **spec}))  # type: ignore[arg-type]


def _found(*rules: Config[DestinationRuleSpec], client: str = "shop") -> Config[DestinationRuleSpec] | None:
    caller = Workload("caller", client, "caller", Identity(client, "caller"), "10.1.0.1")
    return Rules(rules, MeshConfig()).find(caller, CATALOG)[0]


def test_rules_for_one_host_are_merged_under_the_first() -> None:
    first = _rule("a", subsets=(Subset("v1"),))
    second = _rule("b", subsets=(Subset("v1", {"x": "y"}), Subset("v2")), traffic_policy=POLICY)
    found = _found(first, second)
    assert found is not None
    assert found.name == "a"
    assert [s.name for s in found.spec.subsets] == ["v1", "v2"]
    assert found.spec.subsets[0].labels == {}
    assert found.spec.traffic_policy is POLICY


def test_a_clients_own_rule_wins_over_the_services() -> None:
    found = _found(_rule("a"), _rule("mine", "client"), client="client")
    assert found is not None
    assert found.name == "mine"


def test_a_rule_that_is_not_exported_holds_in_its_namespace_only() -> None:
    private = _rule("a", export_to=(".",))
    assert _found(private) is not None
    assert _found(private, client="other") is None


def test_a_rule_is_given_to_the_namespaces_that_it_names() -> None:
    given = _rule("a", export_to=("friend",))
    assert _found(given, client="friend") is not None
    assert _found(given, client="stranger") is None


def test_the_root_namespaces_rule_is_the_last_resort() -> None:
    root = _rule("root", "istio-system", host="*.svc.cluster.local")
    assert _found(root, client="other") is not None
    found = _found(root, _rule("a"), client="other")
    assert found is not None
    assert found.name == "a"
