"""What Istio's API has and meshwright does not translate. The decoder reports each as MW0102; docs/problems.md prints the table.

Nothing is dropped silently: a field that is neither here nor in ``istio`` is unknown to Istio 1.31 too.
"""

from __future__ import annotations

from typing import Final

NOT_TRANSLATED: Final[dict[str, tuple[str, ...]]] = {
    "VirtualServiceSpec": ("tcp", "tls"),
    "HTTPRoute": ("delegate", "mirrors", "mirrorPercent", "mirror_percent"),
    "HTTPRetry": ("backoff",),
    "HTTPMatch": ("statPrefix",),
    "Delay": ("percent", "exponentialDelay"),
    "Abort": ("http2Error",),
    "DestinationRuleSpec": ("workloadSelector",),
    "TrafficPolicy": ("tunnel", "proxyProtocol", "retryBudget"),
    "LoadBalancer": ("localityLbSetting", "warmupDurationSecs", "warmup"),
    "ConsistentHash": ("minimumRingSize",),
    "HTTPSettings": ("h2UpgradePolicy", "useClientProtocol"),
    "Tcp": ("idleTimeout",),
    "ClientTLS": (
        "subjectAltNames",
        "insecureSkipVerify",
        "caCrl",
        "clientCertificate",
        "privateKey",
        "caCertificates",
        "credentialName",
    ),
    "SidecarSpec": ("ingress", "inboundConnectionPool"),
    "EgressListener": ("bind", "captureMode", "port"),
    "OutboundPolicy": ("egressProxy",),
    "GatewayServer": ("tls", "bind", "defaultEndpoint"),
    "AuthorizationPolicySpec": ("provider", "targetRef", "targetRefs"),
    "PeerAuthenticationSpec": (),
}
