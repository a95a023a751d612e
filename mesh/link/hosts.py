"""Short host names -> fully qualified ones, as istiod resolves them."""

from __future__ import annotations

CLUSTER_DOMAIN = "cluster.local"


def qualified(host: str, namespace: str) -> str:
    """``catalog`` in namespace ``shop`` as ``catalog.shop.svc.cluster.local``; a name with a dot, or ``*``, stays as it is.

    Source: istio pkg/config/model ResolveShortnameToFQDN.
    """
    if not host or host == "*" or "." in host:
        return host
    return f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def matches(host: str, pattern: str) -> bool:
    """Whether ``pattern`` (exact, ``*``, or ``*.suffix``) covers ``host``."""
    if pattern == "*" or pattern == host:
        return True
    return pattern.startswith("*") and host.endswith(pattern[1:])
