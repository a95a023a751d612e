"""RequestAuthentications as one JWT filter: a token that is there must be valid, one that is missing is nobody's business here.

Source: pilot/pkg/security/authn/policy_applier.go, convertToEnvoyJwtConfig. Keys come from the policy itself or, already fetched, with the Mesh
(``mesh.local.jwks``); an issuer whose keys are not known gets a key that nobody can sign with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from envoy.extensions.filters.http.jwt_authn.v3.config_pb2 import (
    JwtAuthentication,
    JwtProvider,
    JwtRequirement,
)
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpFilter,
)

from mesh.compile.attached import attached
from mesh.envoy import filters
from mesh.model.mesh import Mesh
from mesh.model.service import Kind, Workload
from mesh.resources.istio.requestauthentication import JWTRule

_SPACE_DELIMITED: Final = frozenset({"permission", "scope"})
_MODULUS: Final = (
    "0xObjM0UvS_oaazjpEYlAbwctEJ4L8pH3OuTb7qth7gUwqet-EzQB4dgFdvSdMgrLnSncQGRjpEYz3F3viIbH-3EN3TxSlPNviHxeOdyiBVfumN8dMxbLvVJ"
    "UpfNOnvmMxJcl-8NNjAwcOjk4otSALaYgYYyOPyvKtgVdrQr-FoubWX4yrjxW-MJ2-7OBeepUUNOsVwGV23YX03sVkkyvY3otRflkBcY3_HKpBxJl9wk2GyO"
    "ShN4_PNUF9-vwfnvOXMbCDX-w4PTef4geeb_GiT40YCKHTKMSPVanGRn5GExIWmki-mmqh94-mPTJyBR74ShspL3BxPZitDL574T1w"
)
#: istiod's PublicOnlyJwks, whose private key exists nowhere: no token is valid under it.
NOBODYS: Final = f"""{{
  "keys": [
    {{
      "kty": "RSA",
      "e": "AQAB",
      "n": "{_MODULUS}"
    }}
  ]
}}"""


def authentication(mesh: Mesh, workload: Workload) -> HttpFilter | None:
    """The filter of one workload; None when no policy with rules is for it."""
    found = rules(mesh, workload)
    if not found:
        return None
    gateway = workload.kind is Kind.ROUTER
    providers = {_name(i): _provider(rule, mesh, gateway) for i, rule in enumerate(found)}
    made = JwtAuthentication(
        providers=providers,
        rules=[{"match": {"prefix": "/"}, "requires": _requirement(list(providers))}],
        bypass_cors_preflight=True,
    )
    return filters.http(filters.JWT, made)


def rules(mesh: Mesh, workload: Workload) -> list[JWTRule]:
    """Every rule that holds for a workload, of its own namespace before the root's, sorted by issuer: the n-th is provider n."""
    found = list(_rules(mesh, workload))
    return sorted(found, key=lambda rule: rule.issuer)


def _rules(mesh: Mesh, workload: Workload) -> Iterator[JWTRule]:
    for namespace in dict.fromkeys((workload.namespace, mesh.config.root_namespace)):
        for policy in mesh.request_authentications:
            if policy.namespace == namespace and attached(policy, workload):
                yield from policy.spec.jwt_rules


def _name(number: int) -> str:
    return f"origins-{number}"


def _provider(rule: JWTRule, mesh: Mesh, gateway: bool) -> JwtProvider:
    """A gateway routes by claims, so that its route is chosen again when they are known."""
    spaced = sorted({*_SPACE_DELIMITED, *rule.space_delimited_claims})
    keys = rule.jwks or mesh.keys.get((rule.issuer, rule.keys_url)) or NOBODYS
    return JwtProvider(
        issuer=rule.issuer,
        audiences=rule.audiences,
        forward=rule.forward_original_token,
        forward_payload_header=rule.output_payload_to_header,
        payload_in_metadata="payload",
        normalize_payload_in_metadata={"space_delimited_claims": spaced},
        clear_route_cache=gateway,
        claim_to_headers=[
            {"header_name": each.header, "claim_name": each.claim} for each in rule.output_claim_to_headers
        ],
        from_headers=[{"name": each.name, "value_prefix": each.prefix} for each in rule.from_headers],
        from_params=rule.from_params,
        from_cookies=rule.from_cookies,
        local_jwks={"inline_string": keys},
    )


def _requirement(names: Sequence[str]) -> JwtRequirement:
    """Any one token that is valid will do; else each provider's must be valid or missing.

    The first half is for providers that look for tokens in the same place, where the others' are never valid.
    """
    missing: dict[str, Any] = {"allow_missing": {}}
    valid: list[dict[str, Any]] = [{"provider_name": name} for name in names]
    optional = [{"requires_any": {"requirements": [each, missing]}} for each in valid]
    if len(optional) == 1:
        return JwtRequirement(**optional[0])
    return JwtRequirement(
        requires_any={"requirements": [*valid, {"requires_all": {"requirements": optional}}]}
    )
