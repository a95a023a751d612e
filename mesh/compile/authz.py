"""AuthorizationPolicies as filters: CUSTOM, then the filter that reads tokens, of which the others ask, then AUDIT, DENY and ALLOW.

Source: pilot/pkg/security/authz/builder. What cannot be compiled denies: an ALLOW rule then allows nothing, a DENY rule
denies everything, a CUSTOM policy whose provider cannot be asked denies what it would have asked about; each is reported as a Problem.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from envoy.config.listener.v3.listener_components_pb2 import Filter
from envoy.config.rbac.v3.rbac_pb2 import RBAC, Permission, Policy, Principal
from envoy.extensions.filters.http.rbac.v3 import rbac_pb2 as http_rbac_pb2
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpFilter,
)
from envoy.extensions.filters.network.rbac.v3 import rbac_pb2 as tcp_rbac_pb2

from mesh.compile import authz_ports, authz_rule, extauthz, jwt
from mesh.compile.attached import attached
from mesh.compile.authz_source import Inapplicable
from mesh.envoy import filters
from mesh.model.mesh import CLUSTER, Config, Mesh, Placement
from mesh.model.service import Workload
from mesh.resources.istio.security import Action, AuthorizationPolicySpec, Rule
from mesh.resources.problem import Problem, Severity

AuthorizationPolicy = Config[AuthorizationPolicySpec]
_ACTIONS: Final = {Action.AUDIT: RBAC.LOG, Action.DENY: RBAC.DENY, Action.ALLOW: RBAC.ALLOW}
#: By the action of what is tried out; istiod writes ALLOW's also where nothing is.
_SHADOW: Final = {RBAC.ALLOW: "istio_dry_run_allow_", RBAC.DENY: "istio_dry_run_deny_"}
_DRY_RUN: Final = "istio.io/dry-run"
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_BAD_CUSTOM: Final = "-deny-due-to-bad-CUSTOM-action"
_EXT_AUTHZ: Final = ("envoy.filters.http.ext_authz", "envoy.filters.network.ext_authz")
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


@dataclass(frozen=True)
class _Reading:
    """How rules are read: by whom they may be met, on which ports, on which kind of chain."""

    domains: tuple[str, ...]
    ports: Mapping[int, int] | None
    tcp: bool = False


def authorization(mesh: Mesh, workload: Workload, placement: Placement = CLUSTER) -> Authorization:
    """Everything that decides who may call a workload."""
    ports = authz_ports.entered(placement, workload) if placement.local else None
    domains = (mesh.config.trust_domain, *mesh.config.trust_domain_aliases)
    reading, over_tcp = _Reading(domains, ports), _Reading(domains, ports, tcp=True)
    policies = list(_selected(mesh, workload))
    by_action = {action: [p for p in policies if p.spec.action is action] for action in Action}
    http, tcp, problems = _custom(by_action[Action.CUSTOM], mesh, reading, over_tcp)
    if tokens := jwt.authentication(mesh, workload):
        http.append(tokens)
    for action in _ACTIONS:
        if chosen := by_action[action]:
            http.append(_http(*_enforced(action, chosen, reading)))
            tcp.append(_tcp(*_enforced(action, chosen, over_tcp)))
            problems += _problems(chosen, domains)
    return Authorization(tuple(http), tuple(tcp), tuple(problems))


def _selected(mesh: Mesh, workload: Workload) -> Iterator[AuthorizationPolicy]:
    """The root namespace's first, then the workload's own."""
    namespaces = dict.fromkeys((mesh.config.root_namespace, workload.namespace))
    for namespace in namespaces:
        for policy in mesh.authorization_policies:
            if policy.namespace == namespace and attached(policy, workload):
                yield policy


def _enforced(
    action: Action, policies: Sequence[AuthorizationPolicy], reading: _Reading
) -> tuple[RBAC | None, RBAC | None]:
    """What holds, and what is only tried out; None where there is nothing of it."""
    tried = [policy for policy in policies if _is_trial(policy)]
    kept = [policy for policy in policies if not _is_trial(policy)]
    made = [_rbac(_ACTIONS[action], each, reading, _name) if each else None for each in (kept, tried)]
    return made[0], made[1]


def _is_trial(policy: AuthorizationPolicy) -> bool:
    """What stands for a policy that cannot be used is not what its author wanted to try."""
    source = policy.source
    if source is None or source.spec is not policy.spec:
        return False
    return source.metadata.annotations.get(_DRY_RUN) in _TRUE


def _custom(
    policies: Sequence[AuthorizationPolicy], mesh: Mesh, reading: _Reading, over_tcp: _Reading
) -> tuple[list[HttpFilter], list[Filter], list[Problem]]:
    """A workload may ask one provider only; of several none is asked, and all that they would be asked about is denied."""
    http: list[HttpFilter] = []
    tcp: list[Filter] = []
    problems: list[Problem] = []
    providers = sorted({_provider(policy) for policy in policies})
    for provider in providers:
        chosen = [policy for policy in policies if _provider(policy) == provider]
        try:
            if len(providers) > 1:
                raise extauthz.Unusable(
                    f"policies of one workload name several providers: {', '.join(providers)}"
                )
            found = extauthz.asked(provider, mesh.config.extension_providers, mesh.services)
        except extauthz.Unusable as error:
            http.append(filters.http(filters.HTTP_RBAC, http_rbac_pb2.RBAC(rules=_refusing(chosen, reading))))
            refusing = tcp_rbac_pb2.RBAC(rules=_refusing(chosen, over_tcp), stat_prefix="tcp.")
            tcp.append(filters.network(filters.TCP_RBAC, refusing))
            problems += (_unasked(policy, str(error)) for policy in chosen)
            continue
        asking = _asking(chosen, reading)
        http += [
            filters.http(filters.HTTP_RBAC, http_rbac_pb2.RBAC(**asking)),
            filters.http(_EXT_AUTHZ[0], found.http),
        ]
        if found.tcp is not None:
            asking = _asking(chosen, over_tcp)
            tcp += [
                filters.network(filters.TCP_RBAC, tcp_rbac_pb2.RBAC(**asking, stat_prefix="tcp.")),
                filters.network(_EXT_AUTHZ[1], found.tcp),
            ]
    return http, tcp, problems


def _provider(policy: AuthorizationPolicy) -> str:
    return policy.spec.provider.name if policy.spec.provider else ""


def _asking(policies: Sequence[AuthorizationPolicy], reading: _Reading) -> dict[str, Any]:
    """Rules that are only looked at, to know whether the provider is to be asked."""
    rules = _rbac(RBAC.DENY, policies, reading, _custom_name)
    return {"shadow_rules": rules, "shadow_rules_stat_prefix": extauthz.SHADOW}


def _refusing(policies: Sequence[AuthorizationPolicy], reading: _Reading) -> RBAC:
    return _rbac(RBAC.DENY, policies, reading, lambda policy, i: _custom_name(policy, i) + _BAD_CUSTOM)


def _rbac(
    action: int,
    policies: Iterable[AuthorizationPolicy],
    reading: _Reading,
    name: Callable[[AuthorizationPolicy, int], str],
) -> RBAC:
    found: dict[str, Policy] = {}
    for policy in policies:
        for i, rule in enumerate(policy.spec.rules):
            made = _rule(policy, rule, reading)
            if made is not None:
                found[name(policy, i)] = made
        if not policy.spec.rules:
            found[name(policy, 0)] = _NEVER
    rules = RBAC(action=action, policies=found)
    if reading.ports is not None:
        authz_ports.place(rules, reading.ports)
    return rules


def _rule(policy: AuthorizationPolicy, rule: Rule, reading: _Reading) -> Policy | None:
    action = policy.spec.action
    try:
        allows = action is Action.ALLOW
        return authz_rule.policy(rule, policy.namespace, reading.domains, reading.tcp, allows)
    except Inapplicable:
        return _ALWAYS if action in (Action.DENY, Action.CUSTOM) else None


def _problems(policies: Iterable[AuthorizationPolicy], domains: tuple[str, ...]) -> Iterator[Problem]:
    for policy in policies:
        for i, rule in enumerate(policy.spec.rules):
            try:
                authz_rule.policy(rule, policy.namespace, domains, tcp=False, allow=True)
            except Inapplicable as error:
                yield _problem(policy, i, str(error))


def _problem(policy: AuthorizationPolicy, rule: int, reason: str) -> Problem:
    result = "is denied" if policy.spec.action is Action.DENY else "is not allowed by it"
    text = f"rule {rule} of AuthorizationPolicy {policy.namespace}/{policy.name} cannot be compiled: {reason}"
    fix = f"until that is mended every request {result}"
    return Problem(policy.place, "MW0401", Severity.ERROR, text, fix)


def _unasked(policy: AuthorizationPolicy, reason: str) -> Problem:
    text = f"AuthorizationPolicy {policy.namespace}/{policy.name} cannot be compiled: {reason}"
    fix = "until that is mended every request that it is for is denied"
    return Problem(policy.line("spec", "provider"), "MW0401", Severity.ERROR, text, fix)


def _name(policy: AuthorizationPolicy, rule: int) -> str:
    return f"ns[{policy.namespace}]-policy[{policy.name}]-rule[{rule}]"


def _custom_name(policy: AuthorizationPolicy, rule: int) -> str:
    provider = _provider(policy)
    return (
        f"{extauthz.PREFIX}-{provider}-{_name(policy, rule)}"
        if provider
        else f"{extauthz.PREFIX}-{_name(policy, rule)}"
    )


def _shadow(tried: RBAC | None) -> str:
    return _SHADOW.get(tried.action if tried is not None else RBAC.ALLOW, "")


def _http(rules: RBAC | None, tried: RBAC | None) -> HttpFilter:
    made = http_rbac_pb2.RBAC(rules=rules, shadow_rules=tried, shadow_rules_stat_prefix=_shadow(tried))
    return filters.http(filters.HTTP_RBAC, made)


def _tcp(rules: RBAC | None, tried: RBAC | None) -> Filter:
    made = tcp_rbac_pb2.RBAC(
        rules=rules, shadow_rules=tried, shadow_rules_stat_prefix=_shadow(tried), stat_prefix="tcp."
    )
    return filters.network(filters.TCP_RBAC, made)
