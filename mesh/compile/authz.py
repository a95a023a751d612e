"""AuthorizationPolicies as RBAC filters: AUDIT, then DENY, then ALLOW; before them the filter that reads tokens, of which they ask.

Source: pilot/pkg/security/authz/builder. What cannot be compiled denies: an ALLOW rule then allows nothing, a DENY rule
denies everything; either is reported as a Problem.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.config.rbac.v3.rbac_pb2 import RBAC, Permission, Policy, Principal
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpFilter,
)
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as tcp_rbac_pb2

from mesh.compile import authz_ports, authz_rule, jwt
from mesh.compile.attached import attached
from mesh.compile.authz_source import Inapplicable
from mesh.envoy import filters
from mesh.model.mesh import CLUSTER, Config, Mesh, Placement
from mesh.model.service import Workload
from mesh.resources.istio.security import Action, AuthorizationPolicySpec, Rule
from mesh.resources.problem import Problem, Severity

AuthorizationPolicy = Config[AuthorizationPolicySpec]
_ACTIONS: Final = {Action.AUDIT: RBAC.LOG, Action.DENY: RBAC.DENY, Action.ALLOW: RBAC.ALLOW}
#: What istiod writes also where nothing is tried out.
_SHADOW: Final = "istio_dry_run_allow_"
_NEVER: Final = Policy(
    permissions=[Permission(not_rule={"any": True})], principals=[Principal(not_id={"any": True})]
)
_ALWAYS: Final = Policy(permissions=[Permission(any=True)], principals=[Principal(any=True)])


@dataclass(frozen=True, eq=False)
class Authorization:
    """The filters of one workload's HTTP and TCP chains, and what was wrong with the policies."""

    http: tuple[HttpFilter, ...] = ()
    tcp: tuple[Filter, ...] = ()
    problems: tuple[Problem, ...] = field(default=())


def authorization(mesh: Mesh, workload: Workload, placement: Placement = CLUSTER) -> Authorization:
    """Everything that decides who may call a workload."""
    ports = authz_ports.entered(placement, workload) if placement.local else None
    policies = list(_selected(mesh, workload))
    domain = mesh.config.trust_domain
    tokens = jwt.authentication(mesh, workload)
    http: list[HttpFilter] = [tokens] if tokens else []
    tcp: list[Filter] = []
    problems: list[Problem] = []
    for action in _ACTIONS:
        chosen = [policy for policy in policies if policy.spec.action is action]
        if chosen:
            http.append(_http(_rbac(action, chosen, domain, False, ports)))
            tcp.append(_tcp(_rbac(action, chosen, domain, True, ports)))
            problems += _problems(chosen, domain)
    return Authorization(tuple(http), tuple(tcp), tuple(problems))


def _selected(mesh: Mesh, workload: Workload) -> Iterator[AuthorizationPolicy]:
    """The root namespace's first, then the workload's own."""
    namespaces = dict.fromkeys((mesh.config.root_namespace, workload.namespace))
    for namespace in namespaces:
        for policy in mesh.authorization_policies:
            if policy.namespace == namespace and attached(policy, workload):
                yield policy


def _rbac(
    action: Action,
    policies: Iterable[AuthorizationPolicy],
    domain: str,
    tcp: bool,
    ports: Mapping[int, int] | None,
) -> RBAC:
    found: dict[str, Policy] = {}
    for policy in policies:
        for i, rule in enumerate(policy.spec.rules):
            made = _rule(policy, rule, domain, tcp)
            if made is not None:
                found[_name(policy, i)] = made
        if not policy.spec.rules:
            found[_name(policy, 0)] = _NEVER
    made = RBAC(action=_ACTIONS[action], policies=found)
    if ports is not None:
        authz_ports.place(made, ports)
    return made


def _rule(policy: AuthorizationPolicy, rule: Rule, domain: str, tcp: bool) -> Policy | None:
    action = policy.spec.action
    try:
        return authz_rule.policy(rule, policy.namespace, domain, tcp, action is Action.ALLOW)
    except Inapplicable:
        return _ALWAYS if action is Action.DENY else None


def _problems(policies: Iterable[AuthorizationPolicy], domain: str) -> Iterator[Problem]:
    for policy in policies:
        for i, rule in enumerate(policy.spec.rules):
            try:
                authz_rule.policy(rule, policy.namespace, domain, tcp=False, allow=True)
            except Inapplicable as error:
                yield _problem(policy, i, str(error))


def _problem(policy: AuthorizationPolicy, rule: int, reason: str) -> Problem:
    result = "is denied" if policy.spec.action is Action.DENY else "is not allowed by it"
    text = f"rule {rule} of AuthorizationPolicy {policy.namespace}/{policy.name} cannot be compiled: {reason}"
    fix = f"until that is mended every request {result}"
    return Problem(policy.place, "MW0401", Severity.ERROR, text, fix)


def _name(policy: AuthorizationPolicy, rule: int) -> str:
    return f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{rule}]"


def _http(rules: RBAC) -> HttpFilter:
    return filters.http(filters.HTTP_RBAC, http_rbac_pb2.RBAC(rules=rules, shadow_rules_stat_prefix=_SHADOW))


def _tcp(rules: RBAC) -> Filter:
    return filters.network(
        filters.TCP_RBAC, tcp_rbac_pb2.RBAC(rules=rules, stat_prefix="tcp.", shadow_rules_stat_prefix=_SHADOW)
    )
