"""The observatory's process, which takes the spans of sidecars and services, and answers questions about them.

It stands among the pods' processes, so that whatever stops those stops it.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta

from mesh.local.container import Container, Spec
from mesh.local.observatory import NAME, Observatory
from mesh.local.paths import OTLP_SOCKET, Paths

GRACE_SECONDS = 3.0


def container(paths: Paths, given: Observatory, keep: timedelta) -> Container:
    """Its process, which ``run`` keeps running; spans older than ``keep`` are dropped."""
    directory = paths.pod(NAME)
    directory.mkdir(parents=True, exist_ok=True)
    places = [f"--otlp={given.otlp}", f"--http={given.http}", f"--socket={OTLP_SOCKET}"]
    places += [f"--keep={keep.total_seconds():g}", f"--targets={paths.targets.relative_to(paths.run)}"]
    places += [f"--logs={paths.logs}"]
    spec = Spec(
        name=NAME,
        image=NAME,
        command=[sys.executable, "-m", "mesh.observe", *places, str(paths.spans)],
        environment={**os.environ, "PYTHONUNBUFFERED": "1"},
        directory=paths.run,
        log=paths.log(NAME, NAME),
        record=directory / f"{NAME}.pid",
    )
    return Container(spec, lambda: None)
