"""One rule of an AuthorizationPolicy as one RBAC policy: any of its operations by any of its sources.

Source: pilot/pkg/security/authz/model/model.go. A rule is read into clauses first (attribute, values, values it must not
have); each clause then becomes principals or permissions. What a TCP chain cannot ask fails the rule of an ALLOW
policy, so that it allows nothing, and is left out of the others, so that they deny more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from envoy.config.rbac.v3.rbac_pb2 import Permission, Policy, Principal

from mesh.compile import authz_operation as operation
from mesh.compile import authz_source as source
from mesh.compile.authz_source import Inapplicable
from mesh.compile.trustdomains import names, principals
from mesh.resources.istio.security import Condition, From, Operation, Rule, Source, To


@dataclass(frozen=True)
class _Clause:
    """``made`` turns one value into a matcher, or, when ``whole``, all of them at once."""

    made: Callable[[Any], Any]
    values: tuple[str, ...]
    excluded: tuple[str, ...]
    http: bool = False
    whole: bool = False
    permission: bool = False


def policy(rule: Rule, namespace: str, domains: tuple[str, ...], tcp: bool, allow: bool) -> Policy:
    """The rule of a policy in ``namespace``. Raises Inapplicable when it cannot be said here, or is no rule."""
    conditions = [_condition(each, namespace, domains) for each in rule.when]
    on_source = [c for c in conditions if not c.permission]
    on_operation = [c for c in conditions if c.permission]
    sources = [[*_source(each, namespace, domains), *on_source] for each in rule.from_] or [on_source]
    operations = [[*_operation(each), *on_operation] for each in rule.to] or [on_operation]
    return Policy(
        permissions=[_and(each, operation, Permission, tcp, allow) for each in operations],
        principals=[_and(each, source, Principal, tcp, allow) for each in sources],
    )


def _and(clauses: Sequence[_Clause], kind: Any, message: Any, tcp: bool, allow: bool) -> Any:
    found = [each for clause in clauses for each in _matchers(clause, kind, tcp, allow)]
    return kind.both(found or [message(any=True)])


def _matchers(clause: _Clause, kind: Any, tcp: bool, allow: bool) -> Iterator[Any]:
    wanted = _either(clause, clause.values, kind, tcp, allow)
    if wanted is not None:
        yield wanted
    unwanted = _either(clause, clause.excluded, kind, tcp, allow)
    if unwanted is not None:
        yield kind.negated(unwanted)


def _either(clause: _Clause, values: tuple[str, ...], kind: Any, tcp: bool, allow: bool) -> Any:
    if clause.whole:
        found = list(_made(clause, [values] if values else [], tcp, allow))
        return found[0] if found else None
    found = list(_made(clause, values, tcp, allow))
    return kind.either(found) if found else None


def _made(clause: _Clause, values: Sequence[Any], tcp: bool, allow: bool) -> Iterator[Any]:
    for value in values:
        try:
            if clause.http and tcp:
                raise Inapplicable("this attribute is known for HTTP only")
            yield clause.made(value)
        except Inapplicable:
            if allow:
                raise


def _source(each: From, namespace: str, domains: tuple[str, ...]) -> Iterator[_Clause]:
    s: Source = each.source
    yield from _given(
        _Clause(source.principal, principals(s.principals, domains), principals(s.not_principals, domains)),
        _Clause(
            source.request_principals, s.request_principals, s.not_request_principals, http=True, whole=True
        ),
        _Clause(source.service_account(namespace), s.service_accounts, s.not_service_accounts),
        _Clause(source.trust_domain, names(s.trust_domains, domains), names(s.not_trust_domains, domains)),
        _Clause(source.namespace, s.namespaces, s.not_namespaces),
        _Clause(source.client_address, s.remote_ip_blocks, s.not_remote_ip_blocks),
        _Clause(source.peer_address, s.ip_blocks, s.not_ip_blocks),
    )


def _operation(each: To) -> Iterator[_Clause]:
    o: Operation = each.operation
    http = partial(_Clause, http=True, permission=True)
    yield from _given(
        http(operation.host, o.hosts, o.not_hosts),
        http(operation.method, o.methods, o.not_methods),
        http(operation.path, o.paths, o.not_paths),
        _Clause(operation.port, o.ports, o.not_ports, permission=True),
    )


def _given(*clauses: _Clause) -> Iterator[_Clause]:
    return (clause for clause in clauses if clause.values or clause.excluded)


def _condition(each: Condition, namespace: str, domains: tuple[str, ...]) -> _Clause:
    values, excluded = each.values, each.not_values
    on_operation = {
        "destination.ip": operation.address,
        "destination.port": operation.port,
        "connection.sni": operation.server_name,
    }
    on_source = {
        "source.ip": source.peer_address,
        "remote.ip": source.client_address,
        "source.namespace": source.namespace,
        "source.serviceAccount": source.service_account(namespace),
    }
    claims = {"request.auth.audiences": ("aud",), "request.auth.presenter": ("azp",)}
    if each.key in on_operation:
        return _Clause(on_operation[each.key], values, excluded, permission=True)
    if each.key in on_source:
        return _Clause(on_source[each.key], values, excluded)
    if each.key == "source.principal":
        return _Clause(source.principal, principals(values, domains), principals(excluded, domains))
    if each.key == "source.trustDomain":
        return _Clause(source.trust_domain, names(values, domains), names(excluded, domains))
    if each.key == "request.auth.principal":
        return _Clause(source.request_principals, values, excluded, http=True, whole=True)
    if each.key in claims:
        return _Clause(source.request_claim(claims[each.key]), values, excluded, http=True, whole=True)
    return _bracketed(each)


def _bracketed(each: Condition) -> _Clause:
    if each.key.startswith("request.headers"):
        name = _name(each.key.removeprefix("request.headers"))
        return _Clause(source.request_header(name), each.values, each.not_values, http=True)
    if each.key.startswith("request.auth.claims"):
        path = _names(each.key.removeprefix("request.auth.claims"))
        return _Clause(source.request_claim(path), each.values, each.not_values, http=True, whole=True)
    raise Inapplicable(f"{each.key!r} is not an attribute of a request")


def _name(brackets: str) -> str:
    if not (brackets.startswith("[") and brackets.endswith("]")):
        raise Inapplicable(f"expected a name in brackets, found {brackets!r}")
    return brackets.removeprefix("[").removesuffix("]")


def _names(brackets: str) -> list[str]:
    nested = re.fullmatch(r"(\[[^\[\]]*\])+", brackets)
    return re.findall(r"\[([^\[\]]*)\]", brackets) if nested else [_name(brackets)]
