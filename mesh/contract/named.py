"""Policies and the contract: methods that are named and not there, callers that are let in and never come, methods that nobody may call."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from mesh.contract import found
from mesh.contract.serving import Policy, Serving, behind
from mesh.model.mesh import Config
from mesh.model.service import Service, Workload
from mesh.resources.istio.security import Action, Rule
from mesh.resources.istio.virtualservice import VirtualServiceSpec
from mesh.resources.problem import Problem

_ALIKE = 0.85
_Path = tuple[str | int, ...]


def misnamed(serving: Serving) -> Iterator[Problem]:
    """MW0705: a policy or a route names a method that no contract has."""
    for policy in serving.mesh.authorization_policies:
        for path, text in _of_policy(policy):
            yield from _misnamed(serving, policy, path, text)
    for rule in serving.mesh.virtual_services:
        for path, text in _of_routes(rule):
            yield from _misnamed(serving, rule, path, text)


def _of_policy(policy: Policy) -> Iterator[tuple[_Path, str]]:
    for i, rule in enumerate(policy.spec.rules):
        for j, each in enumerate(rule.to):
            for field, paths in (("paths", each.operation.paths), ("notPaths", each.operation.not_paths)):
                for k, text in enumerate(paths):
                    yield ("spec", "rules", i, "to", j, "operation", field, k), text


def _of_routes(rule: Config[VirtualServiceSpec]) -> Iterator[tuple[_Path, str]]:
    for i, http in enumerate(rule.spec.http):
        for j, match in enumerate(http.match):
            if match.uri and match.uri.exact:
                yield ("spec", "http", i, "match", j, "uri", "exact"), match.uri.exact


def _misnamed(serving: Serving, config: Config[object], path: _Path, text: str) -> Iterator[Problem]:
    """Of a service that nobody has a contract of nothing can be said, unless its name is nearly one that there is."""
    parts = text.split("/")
    if len(parts) != 3 or parts[0] or not parts[2]:
        return
    service, method = parts[1], parts[2]
    known = serving.contracts.by_service
    if service in known:
        methods = [each.name for each in known[service].methods]
        if method not in methods and "*" not in method and "{" not in method:
            near = get_close_matches(method, methods, 1)
            fix = f"did you mean {near[0]}?" if near else f"it has: {', '.join(methods)}"
            yield found.at(config, path, "MW0705", f"{service} has no method {method}", fix)
    elif near := get_close_matches(service, known, 1, cutoff=_ALIKE):
        text = f"no contract has a service {service}"
        yield found.at(config, path, "MW0705", text, f"did you mean {near[0]}?")


def idle(serving: Serving) -> Iterator[Problem]:
    """MW0706: a caller is let in whose own Sidecar keeps the service out of its reach, so that it never calls."""
    for policy in serving.mesh.authorization_policies:
        if policy.spec.action is not Action.ALLOW:
            continue
        services = [s for s in serving.mesh.services if any(policy in serving.policies(w) for w in behind(s))]
        for i, rule in enumerate(policy.spec.rules):
            yield from _idle(serving, policy, i, rule, services)


def _idle(serving: Serving, policy: Policy, i: int, rule: Rule, services: list[Service]) -> Iterator[Problem]:
    for j, source in enumerate(rule.from_):
        for k, principal in enumerate(source.source.principals):
            mine = [w for w in serving.mesh.workloads if w.identity.principal == principal]
            if not mine or not services or any(serving.reaches(w, s) for w in mine for s in services):
                continue
            names = ", ".join(sorted({w.owner for w in mine}))
            hosts = ", ".join(sorted({s.name for s in services}))
            text = f"{names} may call {hosts}, and cannot: its Sidecar does not let it out there"
            fix = "add the host to the Sidecar's egress, or take the caller out of the policy"
            path = ("spec", "rules", i, "from", j, "source", "principals", k)
            yield found.at(policy, path, "MW0706", text, fix)


def closed(serving: Serving) -> Iterator[Problem]:
    """MW0707: a method that no policy lets anybody call, and of which the contract does not say in what role it is called."""
    for service in serving.mesh.services:
        pods = list(behind(service))
        for contract, method in serving.methods(service.hostname):
            path = contract.path(method)
            if pods and not method.callers and not any(_open(serving, workload, path) for workload in pods):
                text = f"nobody may call {path} of {service.name}"
                fix = "name it in a policy that lets its callers in, or remove the method"
                yield found.on(contract.places[method.name], "MW0707", text, fix)


def _open(serving: Serving, callee: Workload, path: str) -> bool:
    return any(serving.allowed(callee, path, caller) for caller in serving.mesh.workloads)
