"""The services that CUSTOM policies ask, as Envoy's ext_authz filters. Source: pilot/pkg/security/authz/builder/extauthz.go.

The RBAC filter before one only tries the policies' rules out, and leaves the name of the one that matched in metadata: the service is asked when
that name is of its provider.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from envoy.config.core.v3.config_source_pb2 import ApiVersion
from envoy.extensions.filters.http.ext_authz.v3.ext_authz_pb2 import ExtAuthz as HttpExtAuthz
from envoy.extensions.filters.network.ext_authz.v3.ext_authz_pb2 import ExtAuthz as TcpExtAuthz
from envoy.type.v3.http_status_pb2 import StatusCode

from mesh.compile.lookup import Unknown, lookup
from mesh.model.service import Service
from mesh.resources.istio.providers import GRPCAuthorizer, HTTPAuthorizer, Provider, RequestBody

PREFIX: Final = "istio-ext-authz"
SHADOW: Final = "istio_ext_authz_"
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_KEY: Final = f"{SHADOW}shadow_effective_policy_id"
_LONGEST: Final = timedelta(seconds=600)


class Unusable(Exception):
    """A provider that there is not, or that cannot be asked; says why."""


@dataclass(frozen=True, eq=False)
class Asked:
    """What the filters are configured with; ``tcp`` is None for a provider that only knows HTTP."""

    http: HttpExtAuthz
    tcp: TcpExtAuthz | None


def asked(name: str, providers: Iterable[Provider], services: Sequence[Service]) -> Asked:
    """Raises Unusable."""
    found = [each for each in providers if each.name == name]
    if len(found) != 1 or not (found[0].envoy_ext_authz_http or found[0].envoy_ext_authz_grpc):
        raise Unusable(f"there is no provider {name!r} of external authorization in the MeshConfig")
    if not _NAME.fullmatch(name):
        raise Unusable(f"the provider's name {name!r} is not of lower case letters, digits and dashes")
    given = found[0].envoy_ext_authz_http or found[0].envoy_ext_authz_grpc
    assert given is not None
    if not 0 < given.port < 65536:
        raise Unusable(f"provider {name!r} has no port")
    try:
        host, cluster = lookup(services, given.service, given.port)
    except Unknown:
        raise Unusable(f"the service {given.service!r} of provider {name!r} is not in the mesh") from None
    if isinstance(given, HTTPAuthorizer):
        return Asked(_common(name, given, http_service=_http_service(given, host, cluster)), None)
    service = {
        "envoy_grpc": {"cluster_name": cluster, "authority": host},
        "timeout": given.timeout or _LONGEST,
    }
    return Asked(_common(name, given, grpc_service=service), _tcp(name, given, service))


def _common(name: str, given: HTTPAuthorizer | GRPCAuthorizer, **service: Any) -> HttpExtAuthz:
    made = HttpExtAuthz(
        failure_mode_allow=given.fail_open,
        transport_api_version=ApiVersion.V3,
        filter_enabled_metadata=_enabled("envoy.filters.http.rbac", name),
        with_request_body=_body(given.include_request_body_in_check),
        status_on_error=_status(given.status_on_error),
        **service,
    )
    if isinstance(given, HTTPAuthorizer):
        wanted = given.include_request_headers_in_check or given.include_headers_in_check
        if wanted:
            made.allowed_headers.CopyFrom(type(made.allowed_headers)(**_headers(wanted)))
    return made


def _tcp(name: str, given: GRPCAuthorizer, service: dict[str, Any]) -> TcpExtAuthz:
    return TcpExtAuthz(
        stat_prefix="tcp.",
        failure_mode_allow=given.fail_open,
        transport_api_version=ApiVersion.V3,
        grpc_service=service,
        filter_enabled_metadata=_enabled("envoy.filters.network.rbac", name),
    )


def _http_service(given: HTTPAuthorizer, host: str, cluster: str) -> dict[str, Any]:
    if given.path_prefix and not given.path_prefix.startswith("/"):
        raise Unusable(f"pathPrefix {given.path_prefix!r} does not begin with a slash")
    uri = {"uri": f"http://{host}", "cluster": cluster, "timeout": given.timeout or _LONGEST}
    made: dict[str, Any] = {"server_uri": uri, "path_prefix": given.path_prefix}
    more = sorted(given.include_additional_headers_in_check.items())
    if more:
        headers = [{"key": key, "value": value} for key, value in more]
        made["authorization_request"] = {"headers_to_add": headers}
    told = {
        "allowed_upstream_headers": given.headers_to_upstream_on_allow,
        "allowed_client_headers": given.headers_to_downstream_on_deny,
        "allowed_client_headers_on_success": given.headers_to_downstream_on_allow,
    }
    if any(told.values()):
        made["authorization_response"] = {key: _headers(names) for key, names in told.items() if names}
    return made


def _headers(names: Iterable[str]) -> dict[str, Any]:
    return {"patterns": [_header(name) for name in names]}


def _header(name: str) -> dict[str, Any]:
    if name == "*":
        raise Unusable("a header * by itself is not supported: give a prefix or a suffix")
    if name.startswith("*"):
        return {"suffix": name[1:], "ignore_case": True}
    if name.endswith("*"):
        return {"prefix": name[:-1], "ignore_case": True}
    return {"exact": name, "ignore_case": True}


def _body(given: RequestBody | None) -> dict[str, Any] | None:
    if given is None:
        return None
    return {
        "max_request_bytes": given.max_request_bytes,
        "allow_partial_message": given.allow_partial_message,
        "pack_as_bytes": given.pack_as_bytes,
    }


def _status(given: str) -> dict[str, Any] | None:
    if not given:
        return None
    if not given.isdecimal() or int(given) not in StatusCode.values():
        raise Unusable(f"statusOnError {given!r} is no status")
    return {"code": int(given)}


def _enabled(rbac: str, provider: str) -> dict[str, Any]:
    matched = {"string_match": {"prefix": f"{PREFIX}-{provider}"}}
    return {"filter": rbac, "path": [{"key": _KEY}], "value": matched}
