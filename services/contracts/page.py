"""docs/services/NAME.md: what a caller of a service wants to know, on one page.

Input: the service, and the charts that call it. Output: Markdown.
"""

from collections.abc import Iterator, Mapping

from services.contracts.charts import Chart
from services.contracts.protos import Method, Service
from services.kit.contract import role

HEAD = "<!-- Generated from proto/ and the charts by scripts/generate. Do not edit. -->"


def page(service: Service, charts: Mapping[str, Chart]) -> str:
    parts = [
        HEAD,
        f"# {service.chart}",
        _prose(service.doc),
        f"`{service.name}`, [{service.file}](../../{service.file})",
        _summary(service),
        *_events(service),
        *(part for method in service.methods for part in _method(service, method, charts)),
        *_reasons(service),
    ]
    return "\n\n".join(parts) + "\n"


def _summary(service: Service) -> str:
    lines = [
        "| method | may be repeated | timeout | cost | callers | personal data |",
        "|---|---|---|---|---|---|",
    ]
    for method in service.methods:
        callers = ", ".join(role(each) for each in method.policy.callers)
        personal = "yes" if method.policy.personal_data else "no"
        cells = (_repeated(method), _timeout(method), str(method.policy.cost or 1), callers, personal)
        lines.append(f"| [{method.name}](#{method.name.lower()}) | {' | '.join(cells)} |")
    return "\n".join(lines)


def _repeated(method: Method) -> str:
    if method.streams:
        return "asked again by its caller"
    if method.idempotent:
        return "by proxies too"
    key = method.policy.repeat_key
    return f"by its caller only, with the same `{key}`" if key else "no"


def _timeout(method: Method) -> str:
    return f"{method.timeout:g} s" + (", as long as a stream lasts" if method.streams else "")


def _events(service: Service) -> Iterator[str]:
    said = (("Publishes", service.policy.publishes), ("Consumes", service.policy.consumes))
    for verb, topics in said:
        if topics:
            named = ", ".join(f"`{topic}`" for topic in topics)
            yield f"{verb} events of {named}: [events.proto](../../proto/shop/events/v1/events.proto)."


def _method(service: Service, method: Method, charts: Mapping[str, Chart]) -> Iterator[str]:
    yield f"## {method.name}"
    yield _prose(method.doc)
    calling = [
        chart.name
        for chart in charts.values()
        if (call := chart.call(service.chart)) and method.name in call.names()
    ]
    yield f"Called by {', '.join(calling)}." if calling else "No chart declares a call of it."


def _reasons(service: Service) -> Iterator[str]:
    if service.reasons:
        yield "## Reasons"
        yield f"`reason` of google.rpc.ErrorInfo, whose domain is `{service.name.rpartition('.')[0]}`."
    for name, doc in service.reasons:
        yield f"### {name}"
        yield _prose(doc)


def _prose(comment: str) -> str:
    """A comment as Markdown: one space less before each line; `Errors:` gets a line of its own before its list."""
    lines = [line.removeprefix(" ") for line in comment.rstrip().splitlines()]
    return "\n".join(lines).strip("\n").replace("Errors:\n-", "Errors:\n\n-")
