"""What is called: each attribute of a request's operation as an RBAC permission.

Source: pilot/pkg/security/authz/model/generator.go and permission.go.
"""

from __future__ import annotations

from collections.abc import Sequence

from envoy.config.rbac.v3.rbac_pb2 import Permission
from envoy.extensions.path.match.uri_template.v3.uri_template_match_pb2 import UriTemplateMatchConfig

from mesh.compile.authz_match import header, text
from mesh.compile.authz_source import Inapplicable, address_range
from mesh.envoy.typed import extension

_ONE, _REST = "{*}", "{**}"


def both(permissions: Sequence[Permission]) -> Permission:
    return Permission(and_rules={"rules": permissions})


def either(permissions: Sequence[Permission]) -> Permission:
    return Permission(or_rules={"rules": permissions})


def negated(permission: Permission) -> Permission:
    return Permission(not_rule=permission)


def address(value: str) -> Permission:
    return Permission(destination_ip=address_range(value))


def port(value: str) -> Permission:
    if not value.isdigit() or int(value) > 65535:
        raise Inapplicable(f"{value!r} is not a port")
    return Permission(destination_port=int(value))


def server_name(value: str) -> Permission:
    return Permission(requested_server_name=text(value))


def host(value: str) -> Permission:
    return Permission(header=header(":authority", value, ignore_case=True))


def method(value: str) -> Permission:
    return Permission(header=header(":method", value))


def path(value: str) -> Permission:
    """A gRPC method is a path: ``/shop.payments.v1.PaymentsService/Charge``."""
    if _ONE in value or _REST in value:
        template = UriTemplateMatchConfig(path_template=value.replace(_REST, "**").replace(_ONE, "*"))
        return Permission(uri_template=extension("uri-template", template))
    return Permission(url_path={"path": text(value)})
