"""Every Problem's code, with what it means and what to do; docs/problems.md is written from this table.

Codes are stable: a meaning is never changed, a retired code is never used again. `python -m mesh.link.codes [--check]` writes or
compares docs/problems.md.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.resources.support import NOT_TRANSLATED

PAGE: Final = Path(__file__).parents[2] / "docs" / "problems.md"


@dataclass(frozen=True)
class Code:
    """One kind of mistake. ``severity`` is "error" (stops `mesh up`, refuses a write) or "warning" (is shown)."""

    code: str
    severity: str
    title: str
    explanation: str


CODES: Final = (
    Code(
        "MW0001",
        "error",
        "Not YAML",
        "The text cannot be read as YAML. The line is where reading stopped; the cause is there or just above.",
    ),
    Code(
        "MW0002",
        "error",
        "Duplicate key",
        "A mapping gives the same key twice. Kubernetes would silently keep the last one.",
    ),
    Code(
        "MW0003",
        "error",
        "Not an object",
        "A document without kind, apiVersion or metadata.name is no Kubernetes object.",
    ),
    Code(
        "MW0101",
        "error",
        "Unknown field",
        "Istio has no such field; istiod would refuse the object or, on older servers, drop the field.",
    ),
    Code(
        "MW0102",
        "error",
        "Not translated",
        "The field or kind is part of Istio's API and works on a cluster, but meshwright does not translate it for one machine. It is an error, since leaving it out would make the two behave differently.",
    ),
    Code(
        "MW0103",
        "error",
        "Wrong value",
        "The value has the wrong type, or is not one of those allowed, or is not a duration such as 2s.",
    ),
    Code("MW0104", "error", "Unknown kind", "The API group is Istio's, the kind is not."),
    Code(
        "MW0201",
        "error",
        "Unknown host",
        "A route or rule names a service that is not in the mesh. Short names are completed with the namespace of the object that uses them.",
    ),
    Code(
        "MW0202",
        "error",
        "Missing subset",
        "A route names a subset that no DestinationRule of that host defines. Envoy would answer 503 to every such request.",
    ),
    Code("MW0203", "error", "Given twice", "Two objects have the same kind, namespace and name."),
    Code(
        "MW0204",
        "error",
        "Unknown gateway",
        "A VirtualService is bound to a Gateway that does not exist, so that it would apply to nothing.",
    ),
    Code(
        "MW0205",
        "error",
        "Unknown port",
        "The destination's service has no such port, or has several and the route does not say which.",
    ),
    Code(
        "MW0206",
        "warning",
        "Selects nothing",
        "The selector matches no workload in its namespace, so the object has no effect.",
    ),
    Code(
        "MW0301",
        "error",
        "Weights",
        "The weights of a route's destinations do not add up to 100. Istio takes them in proportion; that is rarely what was meant, so meshwright is stricter.",
    ),
    Code(
        "MW0302",
        "error",
        "Route goes nowhere",
        "A route needs exactly one of route, redirect and directResponse.",
    ),
    Code(
        "MW0303",
        "error",
        "Bad regular expression",
        "The expression is not valid RE2, which Envoy uses; a proxy would reject the whole configuration.",
    ),
    Code("MW0304", "error", "Out of range", "The number or duration is outside what Istio accepts."),
    Code(
        "MW0305",
        "warning",
        "Empty subset",
        "No workload has the subset's labels. Requests routed to it fail with 503.",
    ),
    Code("MW0306", "error", "No hosts", "The object names no host, so that it can apply to nothing."),
    Code(
        "MW0307",
        "warning",
        "Unreachable route",
        "An earlier route of the same list matches every request, so this one is never used.",
    ),
    Code(
        "MW0401",
        "error",
        "Policy cannot be compiled",
        "The policy has a value that cannot be translated. It fails closed: until it is mended its workloads deny every request that it could concern.",
    ),
    Code(
        "MW0501",
        "error",
        "Unknown image",
        "A chart uses an image for which mesh.yaml names no local command.",
    ),
    Code(
        "MW0502",
        "warning",
        "Missing toolchain",
        "The command for an image needs a tool that is not installed. The workload is left out; everything else runs.",
    ),
    Code(
        "MW0503",
        "error",
        "Chart does not render",
        "Helm refused the chart or its values; the message is Helm's.",
    ),
    Code("MW0504", "error", "mesh.yaml", "mesh.yaml itself is wrong: a field, a path or a value."),
)
SEVERITY: Final = {code.code: code.severity for code in CODES}


def page() -> str:
    """docs/problems.md."""
    head = "# Problems\n\nWhat `mesh check`, `mesh up` and the local Kubernetes API say about a configuration. Codes are stable.\n"
    sections = [f"\n## {c.code} {c.title}\n\n*{c.severity}*. {c.explanation}\n" for c in CODES]
    return head + "".join(sections) + _left_out()


def _left_out() -> str:
    rows = [
        f"| {kind} | {', '.join(fields)} |\n" for kind, fields in sorted(NOT_TRANSLATED.items()) if fields
    ]
    return (
        "\n## What is not translated\n\nEach is reported as MW0102.\n\n| in | fields |\n| --- | --- |\n"
        + "".join(rows)
    )


def main() -> int:
    if "--check" in sys.argv:
        if PAGE.exists() and PAGE.read_text() == page():
            return 0
        print(f"{PAGE.name} is not what mesh/link/codes.py says: run `make generate`", file=sys.stderr)
        return 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
