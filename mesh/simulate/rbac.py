"""RBAC: who may do what. Source: Envoy's RoleBasedAccessControlEngineImpl and its matchers."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from envoy.config.rbac.v3.rbac_pb2 import RBAC
from envoy.extensions.path.match.uri_template.v3.uri_template_match_pb2 import UriTemplateMatchConfig

from mesh.simulate import claims, template, text, words
from mesh.simulate.request import Connection, Request
from mesh.simulate.text import Unsimulated
from mesh.simulate.trace import Check, Rule

_NO_REQUEST = Request("", "")


@dataclass(frozen=True)
class Seen:
    """What a filter knows. ``remote`` is the client's address by its headers; no ``request`` on a connection that is not HTTP."""

    connection: Connection
    request: Request | None
    remote: str


def check(rules: Any, seen: Seen, trial: bool = False) -> Check:
    """What the rules of one filter say, a Rule for each of its policies by name."""
    found = tuple(_rule(name, rules.policies[name], seen) for name in sorted(rules.policies))
    matched = any(rule.matched for rule in found)
    passed = {RBAC.ALLOW: matched, RBAC.DENY: not matched, RBAC.LOG: True}[rules.action]
    return Check(RBAC.Action.Name(rules.action), passed, found, trial)


def _rule(name: str, policy: Any, seen: Seen) -> Rule:
    caller = any(principal(each, seen) for each in policy.principals)
    request = any(permission(each, seen) for each in policy.permissions)
    unmet = [words.principals(policy.principals)] if not caller else []
    unmet += [words.permissions(policy.permissions)] if not request else []
    return Rule(name, caller, request, ", and ".join(unmet))


def principal(given: Any, seen: Seen) -> bool:
    """Whether the caller is one."""
    kind = given.WhichOneof("identifier")
    value: Any = getattr(given, kind) if kind else None
    if kind in ("and_ids", "or_ids"):
        found = (principal(each, seen) for each in value.ids)
        return all(found) if kind == "and_ids" else any(found)
    if kind == "not_id":
        return not principal(value, seen)
    if kind == "authenticated":
        return _authenticated(value, seen)
    if kind in ("source_ip", "direct_remote_ip", "remote_ip"):
        return _inside(seen.remote if kind == "remote_ip" else seen.connection.source, value)
    return _shared(kind, value, seen)


def permission(given: Any, seen: Seen) -> bool:
    """Whether what is asked for is one."""
    kind = given.WhichOneof("rule")
    value: Any = getattr(given, kind) if kind else None
    if kind in ("and_rules", "or_rules"):
        found = (permission(each, seen) for each in value.rules)
        return all(found) if kind == "and_rules" else any(found)
    if kind == "not_rule":
        return not permission(value, seen)
    if kind == "destination_ip":
        return _inside(seen.connection.address, value)
    if kind == "destination_port":
        return bool(seen.connection.port == value)
    if kind == "requested_server_name":
        return text.matches(value, seen.connection.sni)
    if kind == "uri_template":
        config = UriTemplateMatchConfig()
        value.typed_config.Unpack(config)
        return seen.request is not None and template.matches(config.path_template, seen.request.plain_path)
    return _shared(kind, value, seen)


def _shared(kind: str | None, value: Any, seen: Seen) -> bool:
    """What principals and permissions have in common."""
    request = seen.request or _NO_REQUEST
    if kind == "any":
        return bool(value)
    if kind == "header":
        return seen.request is not None and text.header(value, request)
    if kind == "url_path":
        return seen.request is not None and text.matches(value.path, request.plain_path)
    if kind == "metadata":
        return claims.metadata(value, request)
    raise Unsimulated(f"an RBAC rule of kind {kind}")


def _authenticated(given: Any, seen: Seen) -> bool:
    if not seen.connection.tls:
        return False
    name = seen.connection.principal
    return text.matches(given.principal_name, name) if given.HasField("principal_name") else bool(name)


def _inside(address: str, block: Any) -> bool:
    if not address:
        return False
    network = ip_network(f"{block.address_prefix}/{block.prefix_len.value}", strict=False)
    return ip_address(address) in network
