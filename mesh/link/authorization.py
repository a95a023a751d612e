"""AuthorizationPolicies: what istiod refuses, and what a policy does that its author did not mean.

Source: istio validation.go, ValidateAuthorizationPolicy, and pkg/config/security/security.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mesh.link import callers, custom, selectors, targetrefs
from mesh.link.authorizationvalues import CONDITIONS, value_mistake
from mesh.link.names import Names
from mesh.link.spot import Spot, spec
from mesh.resources.decode import camel
from mesh.resources.istio.security import (
    Action,
    AuthorizationPolicySpec,
    Condition,
    Operation,
    Rule,
    Source,
)
from mesh.resources.object import Object
from mesh.resources.problem import Problem

_DRY_RUN: Final = "istio.io/dry-run"
_TRUE: Final = ("1", "t", "T", "TRUE", "true", "True")
_FALSE: Final = ("0", "f", "F", "FALSE", "false", "False")
_DOMAINS: Final = ("trust_domains", "not_trust_domains")
_ADDRESSES: Final = ("ip_blocks", "not_ip_blocks", "remote_ip_blocks", "not_remote_ip_blocks")
_ACCOUNTS: Final = ("service_accounts", "not_service_accounts")
_KINDS: Final = {
    **dict.fromkeys(_ADDRESSES, "address"),
    **dict.fromkeys(_ACCOUNTS, "account"),
    **dict.fromkeys(_DOMAINS, "domain"),
    "ports": "port",
    "not_ports": "port",
    "paths": "path",
    "not_paths": "path",
}
_OVER_TCP: Final = (
    "principals",
    "not_principals",
    "namespaces",
    "not_namespaces",
    *_ADDRESSES,
    *_ACCOUNTS,
    *_DOMAINS,
)


def invalid(each: Object[AuthorizationPolicySpec]) -> Iterator[Problem]:
    """What istiod refuses, and what is not translated."""
    at, given = spec(each), each.spec
    yield from selectors.invalid(at / "selector", given.selector, "matchLabels")
    yield from targetrefs.invalid(at, given)
    yield from _trial(each)
    yield from custom.invalid(at, given)
    if given.action is Action.DENY and not given.rules:
        text = "a DENY policy without rules never denies anything"
        yield (at / "action").problem("MW0401", text, "give rules: [{}] to deny everything")
    for i, rule in enumerate(given.rules):
        yield from _rule(at / "rules" / i, rule)


def _trial(each: Object[AuthorizationPolicySpec]) -> Iterator[Problem]:
    """Of a policy that is only to be tried out."""
    given = each.metadata.annotations.get(_DRY_RUN)
    at = Spot(each, ("metadata", "annotations", _DRY_RUN))
    if given is not None and given not in (*_TRUE, *_FALSE):
        yield at.problem("MW0401", f"{given!r} is neither true nor false", 'write "true" or "false"')
    elif given in _TRUE and each.spec.action not in (Action.ALLOW, Action.DENY):
        text = f"a policy of action {each.spec.action} cannot be tried out"
        yield at.problem("MW0401", text, "only ALLOW and DENY can")


def _rule(at: Spot, rule: Rule) -> Iterator[Problem]:
    for i, source in enumerate(rule.from_):
        yield from _part(at / "from" / i / "source", source.source, "name a principal, or leave from out")
        yield from _mixed(at / "from" / i / "source", source.source)
    for i, to in enumerate(rule.to):
        yield from _part(at / "to" / i / "operation", to.operation, "name a path, or leave to out")
    for field, given in (("from", rule.from_), ("to", rule.to)):
        if not given and field in _raw(at):
            yield (at / field).problem(
                "MW0401", f"{field} is empty, so that it is unclear what was meant", "remove it"
            )
    for i, condition in enumerate(rule.when):
        yield from _condition(at / "when" / i, condition)


def _raw(at: Spot) -> Mapping[str, Any]:
    """The mapping at a spot as it was written, where ``from: []`` and no from at all still differ."""
    data: Any = at.object.document.data
    for part in at.path:
        data = data[part]
    return data if isinstance(data, dict) else {}


def _part(at: Spot, part: Source | Operation, fix: str) -> Iterator[Problem]:
    if part == type(part)():
        yield at.problem("MW0401", "this is empty, so that it is unclear what was meant", fix)
    for field in part.__dataclass_fields__:
        for i, value in enumerate(getattr(part, field)):
            if reason := value_mistake(_KINDS.get(field, "text"), value):
                yield (at / camel(field) / i).problem("MW0401", reason[0], reason[1])


def _mixed(at: Spot, source: Source) -> Iterator[Problem]:
    named = (source.principals, source.not_principals, source.namespaces, source.not_namespaces)
    if any(named) and (source.service_accounts or source.not_service_accounts):
        text = "serviceAccounts cannot stand with principals or namespaces"
        yield (at / "serviceAccounts").problem("MW0401", text, "use one way to name the callers")


def _condition(at: Spot, condition: Condition) -> Iterator[Problem]:
    kind = CONDITIONS.get(condition.key)
    if kind is None:
        name, bracket, rest = condition.key.partition("[")
        kind = CONDITIONS.get(name + bracket) if rest.endswith("]") and len(rest) > 1 else None
    if kind is None:
        known = ", ".join(key + "...]" if key.endswith("[") else key for key in CONDITIONS)
        yield (at / "key").problem("MW0401", f"{condition.key!r} is not a condition", f"use one of: {known}")
        return
    if not condition.values and not condition.not_values:
        yield at.problem("MW0401", "a condition needs values or notValues", "give one")
    for field, values in (("values", condition.values), ("notValues", condition.not_values)):
        for i, value in enumerate(values):
            if reason := value_mistake(kind, value):
                yield (at / field / i).problem("MW0401", reason[0], reason[1])


def misdirected(each: Object[AuthorizationPolicySpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing; callers that nobody is; a DENY that reaches further than it says."""
    at = spec(each)
    yield from selectors.idle(at / "selector", each.spec.selector, names)
    yield from targetrefs.idle(at, each.spec, names)
    yield from custom.unknown(at, each.spec, names)
    for i, rule in enumerate(each.spec.rules):
        for j, source in enumerate(rule.from_):
            yield from callers.unknown(at / "rules" / i / "from" / j / "source", source.source, names)
        if each.spec.action is Action.DENY and _only_http(rule):
            text = "on TCP ports this rule denies everything, since all it looks at is HTTP's"
            yield (at / "rules" / i).problem(
                "MW0402", text, "name the ports it is meant for, with operation.ports"
            )


def _only_http(rule: Rule) -> bool:
    tcp_from = any(getattr(f.source, field) for f in rule.from_ for field in _OVER_TCP)
    tcp_to = any(to.operation.ports or to.operation.not_ports for to in rule.to)
    return bool((rule.from_ and not rule.to and not tcp_from) or (rule.to and not tcp_to))
