"""The store served as a Kubernetes API, to kubectl, the kubernetes client and the mesh's own commands.

The runtime opens the store, then serves it for as long as the mesh is up::

    async with Store(directory / "state", validate=check) as store:
        async with serve(store, directory, logs=runner) as address:  # "https://127.0.0.1:PORT"
            ...

``serve`` writes ``directory/kubeconfig`` (0600, atomically), keeps its certificate and token in
``directory/api`` (0600) and uses them, and the port when it is free, again after a restart, so that clients
go on where they were. Leaving the block ends every watch at once. ``logs`` is what `kubectl logs` reads: see
``LogSource``. ``ports`` is what `kubectl port-forward` dials: see ``PortForward``.
"""

from mesh.local.api.serve import serve
from mesh.local.api.service import LogSource, PortForward

__all__ = ["LogSource", "PortForward", "serve"]
