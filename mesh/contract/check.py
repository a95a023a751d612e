"""Every finding of this package: (Mesh, Contracts) -> Problems, ordered by place."""

from __future__ import annotations

from typing import Final

from mesh.contract.methods import Contracts
from mesh.contract.named import closed, idle, misnamed
from mesh.contract.plain import plain, unproven
from mesh.contract.repeated import crowded, multiplied, outlasting, repeated
from mesh.contract.serving import Serving
from mesh.model.mesh import Mesh
from mesh.resources.problem import Problem

_FINDINGS: Final = (repeated, crowded, outlasting, multiplied, misnamed, idle, closed, plain, unproven)


def check(mesh: Mesh, contracts: Contracts) -> list[Problem]:
    """Without any contract only what needs none is found."""
    serving = Serving(mesh, contracts)
    return sorted({problem for finding in _FINDINGS for problem in finding(serving)})
