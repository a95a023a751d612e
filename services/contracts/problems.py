"""What is wrong between contracts and charts, each with its place and the lines that mend it.

Input: services by protos, charts by charts. Output: texts that begin with file:line.
"""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from services.contracts.charts import Call, Chart
from services.contracts.protos import Method, Service
from services.kit.contract import role

POLICY = """\
    option (shop.rules.v1.policy) = {
      timeout: {seconds: 2}
      callers: CALLER_SERVICE
    };"""


def problems(services: Mapping[str, Service], charts: Mapping[str, Chart]) -> list[str]:
    """Nothing is the right answer."""
    wrong = [text for service in services.values() for text in _policies(service)]
    return wrong or [text for chart in charts.values() for text in _calls(chart, services)]


def _policies(service: Service) -> Iterator[str]:
    for method in service.methods:
        if text := _policy(method):
            yield f"{method.place}: {service.name}/{method.name} {text}"


def _policy(method: Method) -> str:
    if not method.has_policy:
        return f"has no policy. Add below this line, with a timeout and callers of its own:\n{POLICY}"
    if method.timeout <= 0:
        return "has no timeout. Add to its policy:\n      timeout: {seconds: 2}"
    if not method.policy.callers:
        return "has no callers. Add to its policy who may call it:\n      callers: CALLER_SERVICE"
    key = method.policy.repeat_key
    if key and key not in method.request:
        return (
            f"has the repeat_key {key!r}, which its request does not have: it has {', '.join(method.request)}"
        )
    return ""


def _calls(chart: Chart, services: Mapping[str, Service]) -> Iterator[str]:
    for call in chart.calls:
        service = services.get(call.to)
        if service is None or service.name != call.service:
            known = service.name if service else "no contract of that name"
            yield f"{call.place}: {chart.name} calls {call.service} at {call.to}, where there is {known}"
        else:
            yield from _methods(chart, call, service)


def _methods(chart: Chart, call: Call, service: Service) -> Iterator[str]:
    for name, place in call.methods:
        method = service.method(name)
        if method is None:
            near = get_close_matches(name, [each.name for each in service.methods], 1)
            meant = f": did you mean {near[0]}?" if near else ""
            yield f"{place}: {service.name} has no method {name}{meant}"
        elif not (allowed := {role(each) for each in method.policy.callers}) & set(chart.roles):
            yield (
                f"{place}: {chart.name} calls {call.to} {name} as {' or '.join(chart.roles)}, and {method.place} lets "
                f"only {' or '.join(sorted(allowed))} call it. Take it out of `calls`; or, if it is right, let the "
                f"method's policy say so:\n      callers: CALLER_{chart.roles[0].upper()}"
            )
