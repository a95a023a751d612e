"""Every Problem's code, with what it means; docs/problems.md is written from this table.

Codes are stable: a meaning is never changed, a retired code is never used again. 00xx are YAML, 01xx the schema, 02xx references, 03xx
routing, 04xx security, 05xx this machine, 06xx tests, 07xx contracts (mesh.contract). `python -m mesh.link.codes [--check]` writes or compares the page.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.resources.problem import Severity
from mesh.resources.support import KINDS_NOT_TRANSLATED, NOT_TRANSLATED

PAGE: Final = Path(__file__).parents[2] / "docs" / "problems.md"
_E, _W = Severity.ERROR, Severity.WARNING


@dataclass(frozen=True)
class Code:
    """One kind of mistake."""

    code: str
    severity: Severity
    title: str
    explanation: str


CODES: Final = tuple(
    Code(*row)
    for row in (
        ("MW0001", _E, "Not YAML", "The text cannot be read as YAML. The line is where reading stopped; the cause is there or just above. What stands before it is still checked."),
        ("MW0002", _E, "Duplicate key", "A mapping gives the same key twice. Kubernetes would silently keep the last one."),
        ("MW0003", _E, "Not an object", "A document without kind, apiVersion or metadata.name is no Kubernetes object."),
        ("MW0004", _W, "Unknown API group", "The object is kept and does nothing: neither Kubernetes itself nor Istio has this API group."),
        ("MW0101", _E, "Unknown field", "Istio has no such field; a cluster would refuse the object or drop the field."),
        ("MW0102", _E, "Not translated", "The field or kind is part of Istio's API and works on a cluster, but meshwright does not translate it for one machine. It is an error, since leaving it out would make the two behave differently. The tables below list what is left out."),
        ("MW0103", _E, "Wrong type", "The value has the wrong type, or is not one of the names that the field takes, or is no duration such as 2s."),
        ("MW0104", _E, "Unknown kind", "The API group is Istio's or Kubernetes' own; the kind is not one of its kinds."),
        ("MW0105", _W, "Not run here", "The kind makes pods on a cluster. On one machine only Deployments and Pods are run."),
        ("MW0106", _W, "Does nothing", "Istio's API has the field, and Istio itself ignores it, unless it is told otherwise when it is installed."),
        ("MW0201", _E, "Unknown host", "A route or rule names a service that is not in the mesh. Short names are completed with the namespace of the object that uses them."),
        ("MW0202", _E, "Missing subset", "A route names a subset that no DestinationRule of that host defines. Envoy would answer 503 to every such request."),
        ("MW0203", _E, "Given twice", "Two objects, hosts, subsets, ports or containers have one name."),
        ("MW0204", _E, "Unknown gateway", "A VirtualService is bound to a Gateway that does not exist, so that it would apply to nothing."),
        ("MW0205", _E, "Unknown port", "The service, or the containers behind it, have no such port."),
        ("MW0206", _W, "Selects nothing", "The selector matches no workload, so that the object has no effect."),
        ("MW0207", _W, "Overruled", "An older object already says this for the same host or the same pods. Istio takes the older one, or merges them in an order that nobody sees."),
        ("MW0208", _W, "Unknown egress host", "A Sidecar lets a workload see a service that is not in the mesh."),
        ("MW0209", _W, "Unknown caller", "An AuthorizationPolicy names a caller that no workload is, so that this part of the rule never matches."),
        ("MW0210", _W, "Not at the gateway", "A VirtualService is bound to a Gateway that has no server for its host. The gateway answers 404."),
        ("MW0211", _W, "Selects everything", "A selector without labels selects every workload of its namespace, as no selector would."),
        ("MW0212", _E, "Unknown delegate", "A VirtualService delegates to one that does not exist or has hosts of its own. Istio leaves the route out."),
        ("MW0213", _E, "Unknown provider", "A CUSTOM AuthorizationPolicy asks a provider that the MeshConfig does not have. Every request that the policy is for is denied."),
        ("MW0301", _E, "Weights", "The weights of a route's destinations do not add up to 100. Istio takes any weights in proportion, and refuses only a sum of 0; meshwright is stricter, since 30 and 30 is an edit left half done more often than an intention."),
        ("MW0302", _E, "Incomplete or contradictory", "Fields that cannot stand together, or one that is missing, as in a route with neither destination nor redirect."),
        ("MW0303", _E, "Bad regular expression", "The expression is not RE2, which Envoy matches with; a proxy would reject the whole configuration."),
        ("MW0304", _E, "Out of range", "The number, percentage or duration is outside what Istio accepts. Durations are a millisecond or more."),
        ("MW0305", _W, "Empty subset", "No workload has the subset's labels. Requests routed to it fail with 503."),
        ("MW0306", _E, "No hosts", "The object names no host, so that it applies to nothing."),
        ("MW0307", _W, "Unreachable route", "An earlier route of the same list takes every request that this one would."),
        ("MW0308", _E, "Unknown name", "The field takes one of a list of names, such as the conditions of retryOn or gRPC's statuses."),
        ("MW0309", _E, "Bad header", "The name cannot be a header's, the header cannot be changed here, or Envoy cannot read the value."),
        ("MW0310", _E, "Bad name", "Not a host name, a namespace or a DNS label."),
        ("MW0311", _E, "Bad selector", "Selectors compare whole labels; they have no wildcards."),
        ("MW0312", _W, "Retry that never comes", "One try may take as long as the whole call, so that no time is left for another."),
        ("MW0313", _E, "Not Envoy's configuration", "The value of an EnvoyFilter's patch is not of the type that the patch is for: a field that there is not, a value of another type, or an extension that Envoy does not have. istiod drops fields that it does not know; meshwright is stricter, since a limit with a typing mistake limits nothing."),
        ("MW0401", _E, "Policy cannot be compiled", "The security policy has a value that means nothing. It fails closed: until it is mended, the workloads that it selects deny every request (a PeerAuthentication: accept only mutual TLS)."),
        ("MW0402", _W, "Denies more than it says", "A DENY rule that looks only at HTTP denies everything on TCP ports."),
        ("MW0403", _W, "Encrypted otherwise", "A DestinationRule's tls and the PeerAuthentications of the pods behind the host contradict each other. The calls fail."),
        ("MW0404", _W, "Secret in the open", "A RequestAuthentication holds a private key. Only the public half is needed, and whoever may read the object can make tokens."),
        ("MW0501", _E, "Unknown image", "A chart uses an image for which mesh.yaml names no local command."),
        ("MW0502", _W, "Missing toolchain", "The command for an image needs a tool that is not installed. The workload is left out; everything else runs."),
        ("MW0503", _E, "Chart does not render", "Helm refused the chart or its values; the message is Helm's."),
        ("MW0504", _E, "mesh.yaml", "mesh.yaml itself is wrong: a field, a path or a value."),
        ("MW0505", _W, "Not kept here", "The local Kubernetes API does not have the kind. On a cluster the object has its effect; here it is left out."),
        ("MW0506", _W, "Not built", "A step of an image's build failed; the message ends with the last that it said. The workload is left out; everything else runs."),
        ("MW0601", _E, "Test file", "A test file of `mesh test` is wrong: a case without from, to or expect, or with a workload, host or method that the mesh does not have. docs/test.md has the format."),
        ("MW0602", _E, "Not answered", "What a request meets cannot be said: it depends on a part of Envoy that the simulation does not follow, as a matcher of a rare kind, or a proxy that was asked does not answer. The message says which."),
        ("MW0701", _E, "Retried and not idempotent", "The contract does not say that the method may be repeated, and its route retries it after the service may have handled it: a payment is made twice. A route that says nothing of retries is retried by Istio's default. Retries on connect-failure, refused-stream and reset-before-request are no matter, since nothing was handled then."),
        ("MW0702", _W, "Tries that do not fit", "A route's attempts, each with its perTryTimeout, take longer than the route's timeout, so that the last are cut short or never made."),
        ("MW0703", _W, "Longer than its caller", "A call may take longer than any method of the service that makes it: when the callee answers at last, nobody waits any more."),
        ("MW0704", _W, "Retries of retries", "Every hop of a chain of calls is retried, so that the counts multiply: one request at the front becomes more than nine at the back, just when the back is failing."),
        ("MW0705", _W, "Unknown method", "A policy or a route names a gRPC method that the service's contract does not have. It never matches."),
        ("MW0706", _W, "Never calls", "A policy lets a caller in whose own Sidecar does not let it out to the service. One of the two is wrong."),
        ("MW0707", _W, "Nobody may call", "A method of the contract that no AuthorizationPolicy lets anybody call."),
        ("MW0708", _W, "Plaintext", "A PeerAuthentication lets plaintext in where the mesh around it asks for mutual TLS, so that anybody who reaches the pod can speak to it without being known."),
        ("MW0709", _W, "Nobody is known", "A policy asks who calls, and mutual TLS is off at the pods that it selects. No caller has an identity there: what the policy allows is refused, and what it denies gets in."),
    )
)  # fmt: skip
SEVERITY: Final = {code.code: code.severity for code in CODES}

_HEAD: Final = """# Problems

What `mesh check`, `mesh up` and the local Kubernetes API say about a configuration, as `file:line: CODE severity message (what to do)`.
An error stops `mesh up`, refuses a write, and makes `mesh check` exit with 1; a warning is shown. Codes are stable. In the output of
a chart the file is the template, and the line that of what it rendered to.
"""


def page() -> str:
    """docs/problems.md."""
    sections = [f"\n## {c.code} {c.title}\n\n*{c.severity.capitalize()}.* {c.explanation}\n" for c in CODES]
    return _HEAD + "".join(sections) + _left_out()


def _left_out() -> str:
    rows = [
        f"| {kind.removesuffix('Spec')} | {', '.join(fields)} |\n"
        for kind, fields in sorted(NOT_TRANSLATED.items())
    ]
    kinds = ", ".join(sorted(KINDS_NOT_TRANSLATED))
    return (
        f"\n## What is not translated\n\nEach is reported as MW0102. Kinds: {kinds}; and the Gateway API.\n\n"
        "| in | fields |\n| --- | --- |\n" + "".join(rows)
    )


def main() -> int:
    """Write the page, or with ``--check`` say whether it is what this table says."""
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
