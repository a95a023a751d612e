"""Tokens as issuers sign them, and as others do."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256


class Issuer:
    """One that has a key."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def keys(self) -> str:
        """Its public key as a JSON Web Key Set."""
        numbers = self._key.public_key().public_numbers()
        key = {"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "one"}
        return json.dumps({"keys": [{**key, "x": _number(numbers.x), "y": _number(numbers.y)}]})

    def token(self, claims: dict[str, Any], lives: int = 3600) -> str:
        signed = _signed({"alg": "ES256", "kid": "one", "typ": "JWT"}, claims, lives)
        r, s = decode_dss_signature(self._key.sign(signed.encode(), ec.ECDSA(SHA256())))
        return f"{signed}.{_pair(r, s)}"


def unsigned(claims: dict[str, Any]) -> str:
    """A token whose header says that it needs no signature."""
    return _signed({"alg": "none", "typ": "JWT"}, claims, 3600) + "."


def _signed(header: dict[str, Any], claims: dict[str, Any], lives: int) -> str:
    said = {**claims, "exp": int(time.time()) + lives}
    return ".".join(_encoded(json.dumps(each).encode()) for each in (header, said))


def _pair(r: int, s: int) -> str:
    return _encoded(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def _number(value: int) -> str:
    return _encoded(value.to_bytes(32, "big"))


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
