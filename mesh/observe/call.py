"""What a span says about a call: who answers to the service, which method, what came of it. Used by topology.

Sources: OpenTelemetry's semantic conventions for RPC and HTTP, old and new; the tags that Envoy's tracer and Istio add.
"""

from __future__ import annotations

import grpc

from mesh.observe.span import Span, Status

_CODES = {code.value[0]: code.name for code in grpc.StatusCode}
_GRPC_STATUS = ("rpc.grpc.status_code", "grpc.status_code", "rpc.response.status_code")
_HTTP_STATUS = ("http.response.status_code", "http.status_code")
_NAMESPACES = ("istio.namespace", "service.namespace", "k8s.namespace.name")
_CLUSTERS = ("upstream_cluster.name", "upstream_cluster")


def service_of(span: Span) -> str:
    """A sidecar's spans belong to the service it stands beside, though it calls itself ``catalog.shop``."""
    if canonical := _first(span, ("istio.canonical_service",)):
        return canonical
    namespace = _first(span, _NAMESPACES)
    return span.service.removesuffix(f".{namespace}") if namespace else span.service


def workload_of(span: Span) -> str:
    return span.workload


def rpc_service(span: Span) -> str:
    """``shop.catalog.v1.CatalogService``, or "" when it is no RPC."""
    return method(span).rpartition("/")[0]


def method(span: Span) -> str:
    """``shop.catalog.v1.CatalogService/GetProduct``, or "" when it is no RPC."""
    if path := _first(span, ("grpc.path",)):
        return path.lstrip("/")
    service, name = _first(span, ("rpc.service",)), _first(span, ("rpc.method",))
    return f"{service}/{name}" if service and name and "/" not in name else name


def outcome(span: Span) -> str:
    """gRPC's name of the status, ``HTTP 503``, or OK and ERROR where neither is told."""
    if code := _first(span, _GRPC_STATUS):
        return _CODES.get(int(code), code) if code.isdecimal() and len(code) < 4 else code
    if code := _first(span, _HTTP_STATUS):
        return f"HTTP {code}"
    return "ERROR" if span.status is Status.ERROR else "OK"


def peer(span: Span) -> str:
    """Whom a client, or the proxy beside it, says it called; "" when it does not."""
    if name := _first(span, ("peer.service",)):
        return name
    direction, _, rest = _first(span, _CLUSTERS).partition("|")
    return _short(rest.rpartition("|")[2]) if direction == "outbound" else ""


def address(span: Span) -> str:
    """Which host a client called, or ""."""
    return _short(_first(span, ("server.address",)))


def _short(host: str) -> str:
    is_address = host.replace(".", "").isdecimal() or ":" in host
    return host if is_address else host.partition(".")[0]


def _first(span: Span, keys: tuple[str, ...]) -> str:
    return next((str(found) for key in keys if (found := span.attributes.get(key)) not in (None, "")), "")
