"""Who serves a contract, and who may call it, as far as a mesh's configuration tells.

A Service serves what the routes to it, or the policies of the pods behind it, name: ``/package.Service/...``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from mesh.compile.scope import Scopes
from mesh.contract.methods import Contract, Contracts, Method
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Service, Workload
from mesh.resources.istio.security import Action, AuthorizationPolicySpec, Operation, Rule, Source

Policy = Config[AuthorizationPolicySpec]
_SELF = "*"


@dataclass(frozen=True)
class Serving:
    """A mesh and its contracts."""

    mesh: Mesh
    contracts: Contracts

    @cached_property
    def scopes(self) -> Scopes:
        return Scopes(self.mesh)

    @cached_property
    def served(self) -> dict[str, tuple[Contract, ...]]:
        """By host name, the contracts that its pods serve."""
        found = {service.hostname: self._named(service) for service in self.mesh.services}
        known = self.contracts.by_service
        return {host: tuple(known[name] for name in sorted(names)) for host, names in found.items() if names}

    def methods(self, host: str) -> Iterator[tuple[Contract, Method]]:
        for contract in self.served.get(host, ()):
            yield from ((contract, method) for method in contract.methods)

    def _named(self, service: Service) -> set[str]:
        """The contracts whose methods something about the service names."""
        policies = (p for w in behind(service) for p in self.policies(w))
        paths = {
            path for p in policies for rule in p.spec.rules for o in rule.to for path in o.operation.paths
        }
        for config in self.mesh.virtual_services:
            for http in config.spec.http:
                if any(each.destination.host == service.hostname for each in http.route):
                    uris = (match.uri for match in http.match if match.uri)
                    paths |= {text for uri in uris for text in (uri.exact, uri.prefix) if text}
        return {path.split("/")[1] for path in paths if path.count("/") == 2} & {*self.contracts.by_service}

    def policies(self, workload: Workload) -> list[Policy]:
        root = self.mesh.config.root_namespace
        own = (p for p in self.mesh.authorization_policies if p.namespace in (workload.namespace, root))
        return [p for p in own if p.spec.selector is None or p.spec.selector.selects(workload.labels)]

    def callers(self, service: Service, path: str) -> list[Workload]:
        """One workload of each Deployment that may call a path, and has the service in its scope."""
        callee = next(iter(behind(service)), None)
        if callee is None:
            return []
        found: dict[tuple[str, str], Workload] = {}
        for caller in self.mesh.workloads:
            key = (caller.namespace, caller.owner)
            if key not in found and self.reaches(caller, service) and self.allowed(callee, path, caller):
                found[key] = caller
        return list(found.values())

    def reaches(self, caller: Workload, service: Service) -> bool:
        return self.scopes.of(caller).service(service.hostname) is not None

    def allowed(self, callee: Workload, path: str, caller: Workload | None = None) -> bool:
        """Whether some request for a path may be let in: of a caller, or of anybody. Conditions are taken to hold, or not, as it needs them."""
        policies = self.policies(callee)
        denials = (rule for p in policies if p.spec.action is Action.DENY for rule in p.spec.rules)
        if any(_everybody(rule) and not rule.when and takes(rule, path, certainly=True) for rule in denials):
            return False
        allows = [p for p in policies if p.spec.action is Action.ALLOW]
        rules = (rule for p in allows for rule in p.spec.rules)
        return not allows or any(takes(rule, path) and admits(rule, caller) for rule in rules)


def behind(service: Service) -> Iterable[Workload]:
    """The pods of a Service."""
    return {each.workload.key: each.workload for each in service.endpoints if each.workload}.values()


def takes(rule: Rule, path: str, certainly: bool = False) -> bool:
    """Whether a rule is about a path; ``certainly``: whatever else the request is."""
    return not rule.to or any(_operation(each.operation, path, certainly) for each in rule.to)


def _operation(given: Operation, path: str, certainly: bool) -> bool:
    other = (given.hosts, given.not_hosts, given.ports, given.not_ports, given.methods, given.not_methods)
    if certainly and any(other):
        return False
    wanted = not given.paths or any(fits(each, path) for each in given.paths)
    return wanted and not any(fits(each, path) for each in given.not_paths)


def fits(pattern: str, value: str) -> bool:
    """Istio's match of a word: as it is, or with a star at one end. A path template is taken to fit."""
    if "{" in pattern or pattern == _SELF:
        return True
    if pattern.endswith("*"):
        return value.startswith(pattern[:-1])
    return value.endswith(pattern[1:]) if pattern.startswith("*") else value == pattern


def admits(rule: Rule, caller: Workload | None) -> bool:
    """Whether a rule is for a caller; of nobody in particular it is."""
    return caller is None or _everybody(rule) or any(_source(each.source, caller) for each in rule.from_)


def _everybody(rule: Rule) -> bool:
    return not rule.from_


def _source(given: Source, caller: Workload) -> bool:
    identity = caller.identity
    accounts = [each if "/" in each else f"{identity.namespace}/{each}" for each in given.service_accounts]
    checks = (
        (given.principals, identity.principal),
        (given.namespaces, identity.namespace),
        (accounts, f"{identity.namespace}/{identity.service_account}"),
    )
    return all(not wanted or any(fits(each, value) for each in wanted) for wanted, value in checks)
