"""What a contract says about each method of a service: may it be repeated, and how long may it take.

Input: the descriptors of the generated code. Output: `Contract`, used by boundary (default deadlines) and channel
(deadlines of outgoing calls), and written by scripts/generate as contract.yaml, from which the charts render retries,
timeouts and authorization. `python -m services.kit.contract MODULE...` prints it as JSON.
"""

import importlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.descriptor_pb2 import MethodOptions

from services.gen.shop.rules.v1 import rules_pb2


@dataclass(frozen=True)
class Method:
    """`name` as in the proto, `path` as on the wire (/package.Service/Name), `timeout` in seconds; `streams`: it answers with a
    stream, and `timeout` is the longest that one lasts. `callers` in words of role, `cost` where calls are limited by rate;
    `repeat_key`: the request's field by which its caller may repeat what no proxy repeats; `personal`: it tells of a person."""

    name: str
    path: str
    idempotent: bool
    timeout: float
    streams: bool = False
    callers: tuple[str, ...] = ()
    cost: int = 1
    repeat_key: str = ""
    personal: bool = False


@dataclass(frozen=True)
class Contract:
    """`service` is the full name, `domain` the package: the domain of google.rpc.ErrorInfo."""

    service: str
    domain: str
    methods: tuple[Method, ...]

    def method(self, name: str) -> Method:
        """Raises KeyError for a method that the contract does not have."""
        return {method.name: method for method in self.methods}[name]


def contract_of(service: ServiceDescriptor) -> Contract:
    """Raises ValueError for a method without a timeout: a call without a limit is never meant."""
    methods = tuple(_method(method) for method in service.methods)
    return Contract(service.full_name, service.file.package, methods)


def _method(method: MethodDescriptor) -> Method:
    options = method.GetOptions()
    policy = options.Extensions[rules_pb2.policy]
    timeout = policy.timeout.seconds + policy.timeout.nanos / 1e9
    if timeout <= 0:
        raise ValueError(
            f"{method.full_name} has no timeout; add to its proto: "
            "option (shop.rules.v1.policy) = {timeout: {seconds: 2}};"
        )
    path = f"/{method.containing_service.full_name}/{method.name}"
    repeatable = options.idempotency_level != MethodOptions.IDEMPOTENCY_UNKNOWN
    return Method(
        method.name,
        path,
        repeatable,
        timeout,
        method.server_streaming,
        tuple(role(caller) for caller in policy.callers),
        policy.cost or 1,
        policy.repeat_key,
        policy.personal_data,
    )


def role(caller: "rules_pb2.Caller.ValueType") -> str:
    """As the charts say it: `customer` for CALLER_CUSTOMER."""
    return rules_pb2.Caller.Name(caller).removeprefix("CALLER_").lower()


def services_of(module: str) -> list[ServiceDescriptor]:
    """The services that a generated module (`services.gen.shop.catalog.v1.catalog_pb2`) declares."""
    descriptor = importlib.import_module(module).DESCRIPTOR
    return list(descriptor.services_by_name.values())


def to_yaml(contract: Contract) -> str:
    lines = [
        "# Generated from proto/ by scripts/generate. Do not edit.",
        f"service: {contract.service}",
        "methods:",
    ]
    for method in contract.methods:
        idempotent = "true" if method.idempotent else "false"
        streams = ", streams: true" if method.streams else ""
        personal = ", personal: true" if method.personal else ""
        said = f"name: {method.name}, idempotent: {idempotent}, timeout: {method.timeout:g}s{streams}"
        said += f", callers: [{', '.join(method.callers)}], cost: {method.cost}{personal}"
        lines.append(f"  - {{{said}}}")
    return "\n".join(lines) + "\n"


def costs(contracts: Sequence[Contract]) -> str:
    """What each method that costs more than 1 weighs where calls are limited by rate, for the chart of the ingress."""
    lines = ["# Generated from proto/ by scripts/generate. Do not edit.", "costs:"]
    dear = [method for contract in contracts for method in contract.methods if method.cost > 1]
    lines += [f"  - {{path: {method.path}, cost: {method.cost}}}" for method in dear]
    return "\n".join(lines) + "\n"


def to_json(contract: Contract) -> dict[str, object]:
    methods = [
        {
            "name": m.name,
            "path": m.path,
            "idempotent": m.idempotent,
            "timeout": f"{m.timeout:g}s",
            "streams": m.streams,
            "callers": list(m.callers),
            "cost": m.cost,
            "repeatKey": m.repeat_key,
            "personal": m.personal,
        }
        for m in contract.methods
    ]
    return {"service": contract.service, "methods": methods}


if __name__ == "__main__":
    found = [contract_of(service) for module in sys.argv[1:] for service in services_of(module)]
    print(json.dumps([to_json(contract) for contract in found], indent=2))
