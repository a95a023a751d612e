"""What a VirtualService sends requests and connections to. Source: istiod's virtualServiceDestinations."""

from __future__ import annotations

from collections.abc import Iterator

from mesh.model.mesh import Config
from mesh.resources.istio.shared import Destination
from mesh.resources.istio.virtualservice import VirtualServiceSpec


def targets(rule: Config[VirtualServiceSpec], namespace: str) -> Iterator[Destination]:
    """Of the routes that callers in ``namespace`` may meet."""
    for http in rule.spec.http:
        sources = [m.source_namespace for m in http.match if m.source_namespace]
        if sources and namespace not in sources:
            continue
        yield from (target.destination for target in http.route)
        yield from [http.mirror] if http.mirror else []
        yield from (mirror.destination for mirror in http.mirrors)
    for each in rule.spec.tcp:
        yield from (target.destination for target in each.route)
    for tls in rule.spec.tls:
        yield from (target.destination for target in tls.route)
