"""Who calls: each attribute of a request's source as an RBAC principal.

Source: pilot/pkg/security/authz/model/generator.go. An attribute that only HTTP has raises Inapplicable on a TCP chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from envoy.config.core.v3.address_pb2 import CidrRange
from envoy.config.rbac.v3.rbac_pb2 import Principal
from envoy.type.matcher.v3.string_pb2 import StringMatcher

from mesh.compile.authz_match import claim, claims, header, quoted, regex, text
from mesh.envoy.address import cidr

_SPIFFE: Final = "spiffe://"
_ANY: Final = regex(".+")


class Inapplicable(Exception):
    """An attribute that cannot be asked here: of HTTP on a TCP chain, or with a value that is none."""


def both(principals: Sequence[Principal]) -> Principal:
    return Principal(and_ids={"ids": principals})


def either(principals: Sequence[Principal]) -> Principal:
    return Principal(or_ids={"ids": principals})


def negated(principal: Principal) -> Principal:
    return Principal(not_id=principal)


def peer_address(value: str) -> Principal:
    return Principal(direct_remote_ip=address_range(value))


def client_address(value: str) -> Principal:
    return Principal(remote_ip=address_range(value))


def namespace(value: str) -> Principal:
    pattern = ".*".join(quoted(part) for part in value.split("*"))
    return _authenticated(regex(f".*/ns/{pattern}/.*"))


def trust_domain(value: str) -> Principal:
    if value == "*":
        return _authenticated(StringMatcher(prefix=_SPIFFE))
    if "*" not in value:
        return _authenticated(StringMatcher(prefix=f"{_SPIFFE}{value}/"))
    before, _, after = value.partition("*")
    return _authenticated(regex(f"{_SPIFFE}{quoted(before)}[^/]*{quoted(after)}/.*"))


def principal(value: str) -> Principal:
    return _authenticated(text(value, _SPIFFE))


def service_account(policy_namespace: str) -> Callable[[str], Principal]:
    """``NAMESPACE/NAME``, or a name in the policy's own namespace."""

    def made(value: str) -> Principal:
        owner, slash, name = value.partition("/")
        owner, name = (owner, name) if slash else (policy_namespace, value)
        return _authenticated(regex(f"spiffe://.+/ns/{quoted(owner)}/(.+/|)sa/{quoted(name)}(/.+)?"))

    return made


def request_header(name: str) -> Callable[[str], Principal]:
    return lambda value: Principal(header=header(name, value))


def request_principals(values: Sequence[str]) -> Principal:
    """``ISSUER/SUBJECT`` of a validated token."""
    found = [_request_principal(value) for value in values]
    return found[0] if len(found) == 1 else either(found)


def request_claim(path: Sequence[str]) -> Callable[[Sequence[str]], Principal]:
    return lambda values: Principal(metadata=claims(path, values))


def _request_principal(value: str) -> Principal:
    issuer, slash, subject = value.rpartition("/")
    if value == "*":
        iss = sub = _ANY
    elif value.startswith("*"):
        iss = _ANY if not slash or issuer == "*" else StringMatcher(suffix=issuer.removeprefix("*"))
        sub = StringMatcher(exact=subject) if slash else StringMatcher(suffix=value.removeprefix("*"))
    elif value.endswith("*"):
        prefix = StringMatcher(prefix=(subject if slash else value).removesuffix("*"))
        iss = StringMatcher(exact=issuer) if slash else prefix
        sub = prefix if slash and subject != "*" else _ANY
    else:
        iss = StringMatcher(exact=issuer if slash else value)
        sub = StringMatcher(exact=subject if slash else "")
    claimed = [Principal(metadata=claim("iss", iss)), Principal(metadata=claim("sub", sub))]
    return both(claimed)


def _authenticated(name: StringMatcher) -> Principal:
    return Principal(authenticated={"principal_name": name})


def address_range(value: str) -> CidrRange:
    try:
        return cidr(value)
    except ValueError as error:
        raise Inapplicable(f"{value!r} is not an address or a CIDR block") from error
