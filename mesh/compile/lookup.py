"""The service that an extension provider names: ``HOST``, or ``NAMESPACE/HOST`` where several namespaces have it.

Source: pilot/pkg/model/telemetry_logging.go, LookupCluster.
"""

from __future__ import annotations

from collections.abc import Iterable

from mesh.envoy import names
from mesh.model.service import Service


class Unknown(Exception):
    """No such service, or several."""


def lookup(services: Iterable[Service], name: str, port: int) -> tuple[str, str]:
    """Host name and cluster. Raises Unknown."""
    namespace, slash, host = name.rpartition("/")
    found = [s for s in services if s.hostname == host and (not slash or s.namespace == namespace)]
    if len({service.namespace for service in found}) != 1:
        raise Unknown(name)
    return host, names.outbound(port, "", host)
