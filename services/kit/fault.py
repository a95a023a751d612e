"""Faults on request, in development only: `x-fault-<service>: fail=2;method=Charge`.

Input: the header of a call, meant for the service it names. Output: `Fault`, which boundary carries out. The header is
inherited by the calls a service makes, so that a test at the ingress can make a service far behind fail.

    fail=2             UNAVAILABLE for the first two attempts (x-envoy-attempt-count), then all is well
    code=NOT_FOUND     this status always
    delay=2s           wait first (ms or s)
    hang               never answer
    when=after         do the method's work, then the fault: the caller cannot tell
    method=Charge      only this method
    pod=NAME           only the replica with this POD_NAME
    version=v2         only replicas of this VERSION
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from grpc import StatusCode

from services.kit.call import FAULT
from services.kit.errors import InvalidRequest, ServiceError, Violation

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s)")


@dataclass(frozen=True)
class Fault:
    """`fails` counts attempts; `delay` is in seconds; empty selectors hit everybody."""

    fails: int = 0
    code: StatusCode | None = None
    delay: float = 0.0
    hang: bool = False
    after: bool = False
    method: str = ""
    pod: str = ""
    version: str = ""


class Injected(ServiceError):
    """The error that a fault asked for."""

    def __init__(self, code: StatusCode, header: str) -> None:
        super().__init__("ERROR_REASON_FAULT", f"{header} asked for {code.name}", header=header)
        self.code = code  # type: ignore[misc]


def parse(text: str, header: str) -> Fault:
    """Raises InvalidRequest: a fault that is misspelt must not pass for a service that is well."""
    fault = Fault()
    for part in filter(None, (part.strip() for part in text.split(";"))):
        key, _, value = part.partition("=")
        fault = replace(fault, **_setting(key, value, header))
    return fault


def _setting(key: str, value: str, header: str) -> dict[str, Any]:
    if key == "fail" and value.isdigit():
        return {"fails": int(value)}
    if key == "code" and value in StatusCode.__members__:
        return {"code": StatusCode[value]}
    if key == "delay" and (found := _DURATION.fullmatch(value)):
        return {"delay": float(found[1]) / (1000 if found[2] == "ms" else 1)}
    if key == "hang" and not value:
        return {"hang": True}
    if key == "when" and value in ("before", "after"):
        return {"after": value == "after"}
    if key in ("method", "pod", "version") and value:
        return {key: value}
    known = "fail=N, code=STATUS, delay=2s, hang, when=after, method=, pod=, version="
    raise InvalidRequest([Violation(header, f"does not understand {key}={value!r}; knows {known}")])


def chosen(headers: Mapping[str, str], service: str, method: str, pod: str, version: str) -> Fault | None:
    """The fault meant for this replica and method, if any. Raises InvalidRequest."""
    header = FAULT + service
    if header not in headers:
        return None
    fault = parse(headers[header], header)
    mine = fault.method in ("", method) and fault.pod in ("", pod) and fault.version in ("", version)
    return fault if mine else None


async def carry_out(fault: Fault, service: str, attempt: int) -> None:
    """Raises Injected, or waits (for ever, when it hangs: until the call is cancelled)."""
    if fault.delay:
        await asyncio.sleep(fault.delay)
    if fault.hang:
        await asyncio.Event().wait()
    if fault.code or attempt <= fault.fails:
        raise Injected(fault.code or StatusCode.UNAVAILABLE, FAULT + service)
