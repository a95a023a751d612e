"""Host and gateway names: short ones made fully qualified as istiod does, and which names are well formed."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache
from typing import Final

CLUSTER_DOMAIN: Final = "cluster.local"
MESH_GATEWAY: Final = "mesh"
_LABEL: Final = re.compile(r"[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_WILDCARD_LABEL: Final = re.compile(r"\*|(\*-?)?[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?")
_LONGEST_LABEL, _LONGEST_NAME = 63, 255


def qualified(host: str, namespace: str) -> str:
    """``catalog`` in namespace ``shop`` as ``catalog.shop.svc.cluster.local``; ``*``, an address, a name with a dot stay as they are.

    Source: istio pilot/pkg/model/config.go, ResolveShortnameToFQDN.
    """
    if not host or host == "*" or "." in host or is_address(host):
        return host
    return f"{host}.{namespace}.svc.{CLUSTER_DOMAIN}"


def gateway_name(name: str, namespace: str) -> str:
    """A gateway as ``namespace/name``; ``mesh`` stays. Source: istio pilot/pkg/model/config.go, resolveGatewayName."""
    if name == MESH_GATEWAY:
        return name
    owner, slash, own = name.partition("/")
    if slash:
        return f"{namespace}/{own}" if owner == "." else name
    short, *rest = name.split(".")
    return f"{rest[0] if rest else namespace}/{short}"


def matches(host: str, pattern: str) -> bool:
    """Whether ``pattern`` (exact, ``*``, or ``*.suffix``) covers ``host``."""
    if pattern == "*" or pattern == host:
        return True
    return pattern.startswith("*") and host.endswith(pattern[1:])


def is_label(name: str) -> bool:
    """Whether a name is a DNS label, as Istio's names of subsets and namespaces must be."""
    return len(name) <= _LONGEST_LABEL and _LABEL.fullmatch(name) is not None


@lru_cache(maxsize=65536)
def is_domain(name: str) -> bool:
    """Whether a name is a DNS name; its first label may be a wildcard. Source: istio ValidateWildcardDomain."""
    if not 0 < len(name) <= _LONGEST_NAME:
        return False
    first, *rest = name.removesuffix(".").split(".")
    wild = len(first) <= _LONGEST_LABEL and _WILDCARD_LABEL.fullmatch(first) is not None
    return wild and all(is_label(label) for label in rest) and not (rest and rest[-1].isdigit())


def is_listed_host(name: str) -> bool:
    """Whether a Gateway or a Sidecar may list a host: ``*``, or a full name, whose first label may be ``*``.

    Source: istio validation/agent, validateSidecarOrGatewayHostnamePart.
    """
    partial = name.startswith("*") and not name.startswith("*.")
    return name == "*" or ("." in name and not partial and is_domain(name))


def is_address(text: str) -> bool:
    """Whether a text is an IP address."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def is_block(text: str) -> bool:
    """Whether a text is an IP address or a CIDR block."""
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return "/" not in text or text.partition("/")[2].isdigit()
