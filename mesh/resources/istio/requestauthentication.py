"""RequestAuthentication: which tokens end users may prove themselves with."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from mesh.resources.istio.shared import PolicyTargetReference, WorkloadSelector


@dataclass(frozen=True, slots=True)
class JWTHeader:
    name: str = ""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class ClaimToHeader:
    header: str = ""
    claim: str = ""


@dataclass(frozen=True, slots=True)
class JWTRule:
    issuer: str = ""
    audiences: tuple[str, ...] = ()
    jwks_uri: str = ""
    jwks_uri_: str = field(default="", metadata={"name": "jwks_uri"})
    jwks: str = ""
    from_headers: tuple[JWTHeader, ...] = ()
    from_params: tuple[str, ...] = ()
    from_cookies: tuple[str, ...] = ()
    output_payload_to_header: str = ""
    output_claim_to_headers: tuple[ClaimToHeader, ...] = ()
    forward_original_token: bool = False
    timeout: timedelta | None = None
    space_delimited_claims: tuple[str, ...] = ()

    @property
    def keys_url(self) -> str:
        """Where the issuer's keys are. Istio's schema takes the field by both names."""
        return self.jwks_uri or self.jwks_uri_


@dataclass(frozen=True, slots=True)
class RequestAuthenticationSpec:
    selector: WorkloadSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    jwt_rules: tuple[JWTRule, ...] = field(default=())
