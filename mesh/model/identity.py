"""SPIFFE identities as Istio writes them. Used by link (who a workload is), compile (SANs, principals) and ca (what to sign)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Identity:
    """Who a workload is: ``spiffe://TRUST_DOMAIN/ns/NAMESPACE/sa/SERVICE_ACCOUNT``."""

    namespace: str
    service_account: str
    trust_domain: str = "cluster.local"

    @property
    def spiffe(self) -> str:
        return f"spiffe://{self.trust_domain}/ns/{self.namespace}/sa/{self.service_account}"

    @property
    def principal(self) -> str:
        """As AuthorizationPolicy names it: without the scheme."""
        return self.spiffe.removeprefix("spiffe://")
