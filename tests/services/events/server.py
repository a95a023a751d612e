"""A nats-server as a process of its own, on a free port of 127.0.0.1 that it keeps when it is started again."""

import asyncio
import json
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

BINARY = Path(sys.executable).with_name("nats-server")
PATIENCE = 20.0


@dataclass
class Server:
    """Everything it keeps and says is under `folder`."""

    folder: Path
    port: int = -1
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "nats.log"

    async def start(self, max_payload: int = 65536) -> None:
        """Returns once it listens."""
        config = self.folder / "nats.json"
        store = {"store_dir": str(self.folder / "store"), "max_file_store": 1 << 28}
        listen = {"host": "127.0.0.1", "port": self.port, "ports_file_dir": str(self.folder)}
        config.write_text(json.dumps(listen | {"max_payload": max_payload, "jetstream": store}))
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                BINARY, "-c", str(config), stdout=log, stderr=log
            )
        ports = self.folder / f"nats-server_{self.process.pid}.ports"
        async with asyncio.timeout(PATIENCE):
            while not ports.exists() or not ports.read_text():
                assert self.process.returncode is None, self.log.read_text()
                await asyncio.sleep(0.01)
        self.port = int(json.loads(ports.read_text())["nats"][0].rpartition(":")[2])

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(how)
        async with asyncio.timeout(PATIENCE):
            await self.process.wait()
