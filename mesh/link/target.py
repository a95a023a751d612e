"""One destination of a route: what istiod refuses in it."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link.hosts import is_domain, is_label
from mesh.link.spot import Spot
from mesh.resources.istio.shared import Destination
from mesh.resources.problem import Problem


def destination(at: Spot, to: Destination) -> Iterator[Problem]:
    """Names and numbers that cannot be."""
    if to.host == "*" or not is_domain(to.host):
        yield (at / "host").problem("MW0310", f"{to.host!r} is not a host name", "name a service")
    if to.subset and not is_label(to.subset):
        text = f"{to.subset!r} is not a subset's name"
        yield (at / "subset").problem("MW0310", text, "use letters, digits and dashes")
    if to.port and not 0 < to.port.number < 65536:
        yield (at / "port" / "number").problem("MW0304", f"{to.port.number} is not a port", "use 1 to 65535")
