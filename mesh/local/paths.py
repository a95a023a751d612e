"""Where a mesh keeps its state: everything under one directory, `.mesh/`, that only its owner can enter."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SOCKET = "xds.sock"
OTLP_SOCKET = "otlp.sock"


@dataclass(frozen=True)
class Paths:
    """The state directory and what is in it. ``root`` is absolute."""

    root: Path

    @classmethod
    def below(cls, project: Path) -> Paths:
        return cls((project / ".mesh").resolve())

    @property
    def run(self) -> Path:
        """Sockets, bootstraps and process records; the working directory of the control plane and of every sidecar."""
        return self.root / "run"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def volumes(self) -> Path:
        return self.root / "volumes"

    @property
    def authority(self) -> Path:
        return self.root / "ca"

    @property
    def store(self) -> Path:
        return self.root / "state"

    @property
    def spans(self) -> Path:
        """The observatory's file."""
        return self.root / "spans" / "spans.db"

    @property
    def targets(self) -> Path:
        """What the observatory asks for metrics."""
        return self.run / "targets.json"

    @property
    def kubeconfig(self) -> Path:
        return self.root / "kubeconfig"

    @property
    def progress(self) -> Path:
        """What the control plane last said of itself, for `mesh up` to show."""
        return self.run / "progress.json"

    @property
    def control_plane(self) -> Path:
        """The record of the control plane's own process."""
        return self.run / "control-plane.pid"

    def pod(self, name: str) -> Path:
        """Records of one pod's processes."""
        return self.run / "pods" / name

    def log(self, pod: str, container: str) -> Path:
        return self.logs / pod / f"{container}.log"

    def build_log(self, image: str) -> Path:
        """What the last build of an image said."""
        return self.logs / "build" / f"{image.replace('/', '-')}.log"

    def make(self) -> None:
        for directory in (self.root, self.run, self.logs, self.volumes):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Whoever starts or stops the mesh waits for its turn: none of them sees half of what another does."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = os.open(self.root, os.O_RDONLY)
        try:
            fcntl.flock(directory, fcntl.LOCK_EX)
            yield
        finally:
            os.close(directory)

    def clean(self) -> None:
        """Remove the state of a mesh that has been stopped; logs stay to be read."""
        for directory in (
            self.run,
            self.store,
            self.volumes,
            self.authority,
            self.root / "api",
            self.root / "spans",
            self.root / "tokens",
        ):
            shutil.rmtree(directory, ignore_errors=True)
        self.kubeconfig.unlink(missing_ok=True)
