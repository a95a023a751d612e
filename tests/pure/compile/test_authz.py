"""A policy that cannot be compiled denies, and says so."""

from __future__ import annotations

from typing import Any

import pytest
from envoy.extensions.filters.http.rbac.v3.rbac_pb2 import RBAC

from mesh.compile.authz import authorization
from mesh.model.identity import Identity
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Workload
from mesh.resources.istio.security import (
    Action,
    AuthorizationPolicySpec,
    Condition,
    From,
    Rule,
    Source,
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
