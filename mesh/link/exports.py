"""exportTo: which namespaces may see an object. Source: istio validation.go, validateExportTo."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.hosts import is_label
from mesh.link.spot import Spot
from mesh.resources.problem import Problem


def exports(at: Spot, given: tuple[str, ...], nobody: bool = False) -> Iterator[Problem]:
    """What is wrong with an object's exportTo; some may be given to ``nobody``, as ~."""
    seen: set[str] = set()
    for i, name in enumerate(given):
        if name not in (".", "*") and not is_label(name) and not (nobody and name == "~"):
            yield (at / i).problem("MW0310", f"{name!r} is not a namespace", "use ., * or a namespace")
        key = at.namespace if name == "." else name
        if key in seen:
            yield (at / i).problem("MW0203", f"{name!r} is given twice", "remove one")
        seen.add(key)
    if "~" in seen and len(given) > 1:
        yield at.problem("MW0302", "~ is nobody", "remove it or the others")
    if "*" in seen and len(given) > 1:
        yield at.problem("MW0302", "* already is every namespace", "remove the others")
