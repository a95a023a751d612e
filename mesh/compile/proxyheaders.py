"""What a proxy says of itself and of callers in headers: MeshConfig's proxyHeaders and gatewayTopology.

Source: pilot/pkg/networking/util/util.go GetProxyHeaders, and buildGatewayConnectionManager.
"""

from __future__ import annotations

from typing import Final

from envoy.config.core.v3.protocol_pb2 import Http1ProtocolOptions
from envoy.extensions.filters.network.http_connection_manager.v3.http_connection_manager_pb2 import (
    HttpConnectionManager,
)
from envoy.extensions.http.header_formatters.preserve_case.v3.preserve_case_pb2 import (
    PreserveCaseFormatterConfig,
)

from mesh.compile.telemetry import Direction
from mesh.envoy.typed import extension
from mesh.resources.istio.proxyconfig import ClientCertDetails, ProxyHeaders, Topology

_SERVER: Final = "istio-envoy"
_FORMATTER: Final = extension("preserve_case", PreserveCaseFormatterConfig())
#: Headers are written with the case in which they were read.
KEEP_CASE: Final = Http1ProtocolOptions(header_key_format={"stateful_formatter": _FORMATTER})


def apply(manager: HttpConnectionManager, direction: Direction, given: ProxyHeaders | None) -> None:
    """What holds on every side."""
    manager.server_name = "" if direction is Direction.OUTBOUND else _SERVER
    if given is None:
        return
    if given.server and given.server.disabled:
        manager.server_name = ""
        manager.server_header_transformation = HttpConnectionManager.PASS_THROUGH
    elif given.server and given.server.value:
        manager.server_name = given.server.value
    if given.request_id.disabled:
        manager.generate_request_id.value = False
    manager.append_x_forwarded_port = given.x_forwarded_port.enabled
    if given.preserve_http1_header_case:
        manager.http_protocol_options.MergeFrom(KEEP_CASE)


def tell_callers(manager: HttpConnectionManager, given: ProxyHeaders | None) -> None:
    """To the application: who called."""
    said = given or ProxyHeaders()
    forwarded = "APPEND_FORWARD" if said.forwarded_client_cert == "UNDEFINED" else said.forwarded_client_cert
    manager.forward_client_cert_details = HttpConnectionManager.ForwardClientCertDetails.Value(forwarded)
    given_details = said.set_current_client_cert_details or ClientCertDetails()
    details = manager.set_current_client_cert_details
    details.subject.value = given_details.subject is not False
    details.uri = given_details.uri is not False
    details.dns = given_details.dns is not False
    details.cert = given_details.cert is True
    details.chain = given_details.chain is True


def at_the_gateway(manager: HttpConnectionManager, topology: Topology) -> None:
    """From outside: what callers claim about earlier ones is believed as far as the topology says."""
    manager.use_remote_address.value = True
    manager.xff_num_trusted_hops = topology.num_trusted_proxies
    forwarded = topology.forward_client_cert_details
    forwarded = "SANITIZE_SET" if forwarded == "UNDEFINED" else forwarded
    manager.forward_client_cert_details = HttpConnectionManager.ForwardClientCertDetails.Value(forwarded)
    if forwarded in ("APPEND_FORWARD", "SANITIZE_SET"):
        details = manager.set_current_client_cert_details
        details.subject.value = details.cert = details.uri = details.dns = True


def counts_attempts(given: ProxyHeaders | None) -> bool:
    return given is None or not given.attempt_count.disabled


def hides_envoy(given: ProxyHeaders | None) -> bool:
    """Whether Envoy's own debugging headers are left out."""
    return given is not None and given.envoy_debug_headers.disabled


def keeps_case(given: ProxyHeaders | None) -> bool:
    return given is not None and given.preserve_http1_header_case
