"""Callers that an AuthorizationPolicy names and that nobody can be: a misspelt name there shows as a refusal elsewhere.

A namespace that the mesh has no workload of may be another release's, so that only what looks like a slip is reported.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping

from mesh.link.names import Names, told
from mesh.link.spot import Spot
from mesh.resources.istio.security import Source
from mesh.resources.problem import Problem

_SCHEME = "spiffe://"


def unknown(at: Spot, source: Source, names: Names) -> Iterator[Problem]:
    """What ``source`` names and no workload is. Names with a ``*`` are patterns and pass."""
    for i, namespace in enumerate(source.namespaces):
        yield from _namespace(at / "namespaces" / i, namespace, names)
    for i, account in enumerate(source.service_accounts):
        namespace, slash, name = account.rpartition("/")
        yield from _account(at / "serviceAccounts" / i, namespace if slash else at.namespace, name, names)
    for i, principal in enumerate(source.principals):
        yield from _principal(at / "principals" / i, principal, names)


def _principal(at: Spot, principal: str, names: Names) -> Iterator[Problem]:
    parts = principal.removeprefix(_SCHEME).split("/")
    if "*" in principal or not principal:
        return
    if principal.startswith(_SCHEME):
        text = f"no caller's principal begins with {_SCHEME}"
        yield at.problem("MW0209", text, f"write {principal.removeprefix(_SCHEME)}")
    elif len(parts) != 5 or (parts[1], parts[3]) != ("ns", "sa"):
        text = f"no caller's principal is {principal!r}"
        yield at.problem("MW0209", text, f"as in cluster.local/ns/{at.namespace}/sa/default")
    else:
        yield from _account(at, parts[2], parts[4], names)


def _account(at: Spot, namespace: str, name: str, names: Names) -> Iterator[Problem]:
    accounts: Mapping[str, object] | None = names.accounts.get(namespace)
    if accounts is None:
        yield from _namespace(at, namespace, names)
    elif name not in accounts:
        text = f"no workload in {namespace} runs as service account {name}"
        yield at.problem("MW0209", text, told(accounts, "they run as"))


def _namespace(at: Spot, namespace: str, names: Names) -> Iterator[Problem]:
    close = difflib.get_close_matches(namespace, names.accounts, n=1)
    if close and namespace not in names.accounts and "*" not in namespace:
        yield at.problem("MW0209", f"no workload is in namespace {namespace}", f"did you mean {close[0]}?")
