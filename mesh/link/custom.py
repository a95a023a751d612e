"""AuthorizationPolicies of action CUSTOM: what istiod refuses, and providers that nobody can ask.

Source: istio validation.go, ValidateAuthorizationPolicy. ``mesh.compile.extauthz`` says what else a provider needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mesh.link.names import Names, told
from mesh.link.spot import Spot
from mesh.resources.decode import camel
from mesh.resources.istio.security import Action, AuthorizationPolicySpec, Rule
from mesh.resources.problem import Problem

#: What only the filters behind the provider know of a caller.
_LATER: Final = (
    "namespaces", "not_namespaces", "service_accounts", "not_service_accounts", "trust_domains", "not_trust_domains",
    "principals", "not_principals", "request_principals", "not_request_principals",
)  # fmt: skip
_LATER_KEYS: Final = ("source.namespace", "source.serviceAccount", "source.trustDomain", "source.principal")


def invalid(at: Spot, given: AuthorizationPolicySpec) -> Iterator[Problem]:
    """What istiod refuses."""
    if given.action is not Action.CUSTOM:
        if given.provider is not None:
            text = f"a policy of action {given.action} asks no provider"
            yield (at / "provider").problem("MW0401", text, "use action CUSTOM")
        return
    if not given.rules:
        text = "a CUSTOM policy without rules never asks anybody"
        yield (at / "action").problem("MW0401", text, "give rules: [{}] to ask about everything")
    elif given.provider is None or not given.provider.name:
        yield (at / "provider").problem(
            "MW0401", "nothing says whom to ask", "name a provider of the MeshConfig"
        )
    for i, rule in enumerate(given.rules):
        yield from _rule(at / "rules" / i, rule)


def unknown(at: Spot, given: AuthorizationPolicySpec, names: Names) -> Iterator[Problem]:
    """A provider that the MeshConfig does not have."""
    wanted = given.provider.name if given.provider else ""
    known = {
        each.name: each
        for each in names.config.extension_providers
        if each.envoy_ext_authz_http or each.envoy_ext_authz_grpc
    }
    if given.action is Action.CUSTOM and wanted and wanted not in known:
        text = f"the MeshConfig has no provider {wanted!r} of external authorization, so that all is denied"
        yield (at / "provider" / "name").problem("MW0213", text, told(known, "it has"))


def _rule(at: Spot, rule: Rule) -> Iterator[Problem]:
    for i, source in enumerate(rule.from_):
        for field in _LATER:
            if getattr(source.source, field):
                here = at / "from" / i / "source" / camel(field)
                yield here.problem(
                    "MW0401", f"a CUSTOM policy cannot ask for {camel(field)}", "leave it to the provider"
                )
    for i, condition in enumerate(rule.when):
        if condition.key in _LATER_KEYS or condition.key.startswith("request.auth."):
            text = f"a CUSTOM policy cannot ask for {condition.key}"
            yield (at / "when" / i / "key").problem("MW0401", text, "leave it to the provider")
