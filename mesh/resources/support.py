"""What Istio's API has and meshwright does not translate. The decoder reports each as MW0102; docs/problems.md prints the tables.

Whoever translates a field takes it out of here. Nothing is dropped silently: a field that neither stands here nor is read by compile
or link fails a test (tests/pure/resources/test_support.py).
"""

from __future__ import annotations

from typing import Final

#: Type of ``mesh.resources.istio`` -> names of its fields as they are written in YAML.
NOT_TRANSLATED: Final[dict[str, tuple[str, ...]]] = {
    "VirtualServiceSpec": ("tcp", "tls"),
    "HTTPRoute": ("delegate", "mirrors", "mirrorPercent", "mirror_percent"),
    "HTTPRetry": ("backoff",),
    "HTTPMatch": ("statPrefix",),
    "HTTPRedirect": ("prefixRewrite",),
    "CorsPolicy": ("allowOrigin",),
    "Delay": ("percent", "exponentialDelay"),
    "Abort": ("http2Error",),
    "DestinationRuleSpec": ("workloadSelector",),
    "TrafficPolicy": ("tunnel", "proxyProtocol", "retryBudget"),
    "LoadBalancer": ("localityLbSetting", "zoneAwareLbSetting", "warmupDurationSecs", "warmup"),
    "ConsistentHash": ("minimumRingSize",),
    "HTTPCookie": ("attributes",),
    "HTTPSettings": ("h2UpgradePolicy", "useClientProtocol", "http2KeepAlive"),
    "Tcp": ("idleTimeout",),
    "OutlierDetection": ("outlierDetectionHttpErrorCodes",),
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
    "Source": ("trustDomains", "notTrustDomains"),
    "MeshConfig": (
        "trustDomainAliases",
        "inboundTrafficPolicy",
        "accessLogFormat",
        "accessLogEncoding",
        "connectTimeout",
        "tcpKeepalive",
        "protocolDetectionTimeout",
        "enableTracing",
        "enableAutoMtls",
        "defaultHttpRetryPolicy",
        "defaultServiceExportTo",
        "defaultVirtualServiceExportTo",
        "defaultDestinationRuleExportTo",
        "localityLbSetting",
        "dnsRefreshRate",
        "h2UpgradePolicy",
    ),
}

#: Whole kinds. They are read and checked, and their specs stand in the Mesh, but nothing is made of them yet.
KINDS_NOT_TRANSLATED: Final = frozenset(
    {
        "EnvoyFilter",
        "ProxyConfig",
        "RequestAuthentication",
        "ServiceEntry",
        "Telemetry",
        "TrafficExtension",
        "WasmPlugin",
        "WorkloadEntry",
        "WorkloadGroup",
    }
)
