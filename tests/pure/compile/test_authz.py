"""A policy that cannot be compiled denies, and says so."""

from __future__ import annotations

import re
from typing import Any

import pytest
from envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC

from mesh.compile.authz import authorization
from mesh.model.identity import Identity
from mesh.model.mesh import Config, Mesh, Placement
from mesh.model.service import Workload
from mesh.resources.istio.security import (
    Action,
    AuthorizationPolicySpec,
    Condition,
    From,
    Operation,
    Rule,
    Source,
    To,
)

CATALOG = Workload("catalog-0", "shop", "catalog", Identity("shop", "catalog"), "10.1.0.1")


def _compiled(action: Action, rule: Rule) -> tuple[Any, list[str]]:
    policy = Config("p", "shop", AuthorizationPolicySpec(rules=(rule,), action=action))
    found = authorization(Mesh(authorization_policies=(policy,)), CATALOG)
    rbac = RBAC()
    found.http[0].typed_config.Unpack(rbac)
    return rbac.rules, [str(problem) for problem in found.problems]


UNKNOWN = Rule(when=(Condition("request.moon", values=("full",)),))
NO_ADDRESS = Rule(from_=(From(Source(ip_blocks=("10.0.0.0/99",))),))


@pytest.mark.parametrize("rule", [UNKNOWN, NO_ADDRESS])
def test_an_allow_rule_that_is_no_rule_allows_nothing(rule: Rule) -> None:
    rules, problems = _compiled(Action.ALLOW, rule)
    assert not rules.policies
    assert len(problems) == 1
    assert "MW0401" in problems[0]


@pytest.mark.parametrize("rule", [UNKNOWN, NO_ADDRESS])
def test_a_deny_rule_that_is_no_rule_denies_everything(rule: Rule) -> None:
    rules, problems = _compiled(Action.DENY, rule)
    policy = rules.policies["ns[shop]-policy[p]-rule[0]"]
    assert "any: true" in str(policy.permissions[0])
    assert "any: true" in str(policy.principals[0])
    assert len(problems) == 1


def test_a_workload_without_policies_is_open() -> None:
    assert authorization(Mesh(), CATALOG).http == ()


def test_on_one_machine_a_port_is_the_one_that_traffic_enters_by() -> None:
    rule = Rule(
        to=(To(Operation(ports=("50051", "9090"), not_ports=("50051",))),),
        when=(Condition("destination.port", values=("50051",)),),
    )
    policy = Config("p", "shop", AuthorizationPolicySpec(rules=(rule,), action=Action.DENY))
    placement = Placement(local=True, inbound={(CATALOG.key, 50051): 21001, (("shop", "other"), 9090): 21002})
    found = authorization(Mesh(authorization_policies=(policy,)), CATALOG, placement)
    rbac = RBAC()
    found.http[0].typed_config.Unpack(rbac)
    said = re.findall(r"destination_port: ?(\d*)", str(rbac.rules))
    assert sorted(said) == ["0", "21001", "21001", "21001"]
