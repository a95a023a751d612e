"""A service as a process of its own, in whatever language, on a free port of 127.0.0.1, its database and log under a test's folder."""

import asyncio
import json
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from mesh.local.config import Image, load

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 80.0


def image_of(name: str) -> Image:
    """What mesh.yaml runs for a service, or for one of its replicas: catalog, catalog-0."""
    config, _ = load(ROOT / "mesh.yaml")
    assert config
    return config.settings.images[f"shop/{name.partition('-')[0]}"]


@dataclass
class Process:
    """`address` is known once it listens. Output goes to <folder>/<name>.log. `package` runs instead of what mesh.yaml says."""

    name: str
    folder: Path
    env: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    package: str = ""
    process: asyncio.subprocess.Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / f"{self.name}.log"

    @property
    def database(self) -> Path:
        return self.folder / f"{self.name}.db"

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    async def start(self) -> None:
        """Returns once it listens; it may not be ready yet."""
        seen = len(self.events()) if self.log.exists() else 0
        own = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "POD_NAME": f"{self.name}-0",
            "DATABASE_URL": f"sqlite+aiosqlite:///{self.database}",
            "DRAIN_SECONDS": "1",
            "DEVELOPMENT": "true",
            "PYTHONWARNINGS": "default",
        }
        image = Image(run=("python", "-m", self.package)) if self.package else image_of(self.name)
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                image.program(ROOT) or image.run[0],
                *image.run[1:],
                env=os.environ | dict(image.env) | own | self.env,
                cwd=ROOT / image.cwd,
                stdout=log,
                stderr=log,
            )
        async with asyncio.timeout(PATIENCE):
            while not (ports := [event["port"] for event in self.events()[seen:] if "port" in event]):
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.02)
        self.port = ports[0]

    async def ready(self) -> None:
        async with aio.insecure_channel(self.address) as channel:
            watching = health_pb2_grpc.HealthStub(channel).Watch(
                health_pb2.HealthCheckRequest(), timeout=PATIENCE
            )
            async for answer in watching:
                if answer.status == health_pb2.HealthCheckResponse.SERVING:
                    break
            else:
                raise AssertionError(f"{self.name} is not ready:\n{self.log.read_text()}")
            watching.cancel()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Returns its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE):
            return await self.process.wait()
