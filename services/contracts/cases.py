"""The cases of `mesh test` that follow from contracts and `calls`: who reaches what, how often it is tried, how long it may take.

Input: a service and the charts that are installed. Output: the text of tests/contract.yaml beside the service's chart. The charts' templates
come to the same policies and routes by a way of their own, so that the one checks the other.
"""

from collections.abc import Iterator, Mapping

from services.contracts.charts import Chart
from services.contracts.protos import Method, Service

HEAD = "# Generated from proto/ and the charts' calls by scripts/generate. Do not edit."
GROUPS = {
    "idempotent": "may be repeated, and are",
    "once": "are tried once",
    "streams": "last, and are tried once",
}


def cases(service: Service, charts: Mapping[str, Chart]) -> str:
    own = charts[service.chart]
    lines = [HEAD, "cases:"]
    for caller in charts.values():
        if caller.installed and caller.name != own.name:
            lines += _of(caller, service, own)
    return "\n".join(lines) + "\n"


def _of(caller: Chart, service: Service, own: Chart) -> Iterator[str]:
    call = caller.call(own.name)
    if call is None:
        if caller.gateway:
            yield from _refused(caller, service, list(service.methods))
        else:
            yield from _case(f"{caller.name} has no business here", caller, service, list(service.methods))
            yield "    expect: unreachable"
        return
    for group, about in GROUPS.items():
        named = [m for m in service.methods if _group(m) == group]
        if allowed := [m for m in named if m.name in call.names()]:
            yield from _case(f"{caller.name}: calls that {about}", caller, service, allowed)
            tries = own.attempts if group == "idempotent" else 1
            longest = max(method.timeout for method in named)
            by = f"{caller.name}-to-{own.name}"
            yield f"    expect: {{by: {by}, mtls: true, attempts: {tries}, timeout: {longest:g}s}}"
    yield from _refused(caller, service, [m for m in service.methods if m.name not in call.names()])


def _refused(caller: Chart, service: Service, methods: list[Method]) -> Iterator[str]:
    if methods:
        yield from _case(f"{caller.name} declares no call of these", caller, service, methods)
        yield "    expect: {verdict: refused, by: no rule, status: 403}"


def _case(name: str, caller: Chart, service: Service, methods: list[Method]) -> Iterator[str]:
    yield f"  - name: {_quoted(name)}"
    yield f"    from: [{', '.join(caller.workloads)}]"
    yield f"    to: {service.chart}{'.shop.example' if caller.gateway else ''}"
    yield f"    method: [{', '.join(f'/{service.name}/{method.name}' for method in methods)}]"


def _quoted(name: str) -> str:
    return f'"{name}"' if ": " in name else name


def _group(method: Method) -> str:
    """Which of the routes of the lib chart is its."""
    if method.streams:
        return "streams"
    return "idempotent" if method.idempotent else "once"
