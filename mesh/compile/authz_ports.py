"""Ports in authorization, on one machine: a rule names the container's port, and traffic enters at the one that stands for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from envoy.config.rbac.v3.rbac_pb2 import RBAC, Permission

from mesh.model.mesh import Placement
from mesh.model.service import Workload

#: No connection is made to it.
_NOWHERE = 0


def entered(placement: Placement, workload: Workload) -> Mapping[int, int]:
    """The workload's own port -> the one that its proxy listens on for it."""
    places = (*placement.inbound.items(), *placement.gateway.items())
    return {number: at for (key, number), at in places if key == workload.key}


def place(rules: RBAC, ports: Mapping[int, int]) -> None:
    """Makes each rule's ports the proxy's own; one that the workload does not have is never met."""
    for policy in rules.policies.values():
        _place(policy.permissions, ports)


def _place(permissions: Iterable[Permission], ports: Mapping[int, int]) -> None:
    for each in permissions:
        kind = each.WhichOneof("rule")
        if kind == "destination_port":
            each.destination_port = ports.get(each.destination_port, _NOWHERE)
        elif kind == "not_rule":
            _place([each.not_rule], ports)
        elif kind in ("and_rules", "or_rules"):
            _place(getattr(each, kind).rules, ports)
