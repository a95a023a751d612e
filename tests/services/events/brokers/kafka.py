"""Kafka as one node that is its own controller (KRaft)."""

import asyncio
import os
import signal
from pathlib import Path

from tests.services.events.brokers.jars import java, missing
from tests.services.events.brokers.process import SMALL, Process, free_port

CLUSTER = "bWVzaHdyaWdodC10ZXN0cw"


class KafkaServer:
    """Everything it keeps and says is under `folder`."""

    missing = missing("kafka", "Kafka")

    def __init__(self, folder: Path) -> None:
        self.largest = SMALL
        self._folder = folder
        self._port, self._controller = free_port(), free_port()
        self._process = Process(folder / "kafka.log")

    @property
    def url(self) -> str:
        return f"kafka://127.0.0.1:{self._port}"

    async def start(self) -> None:
        if self._process.runs:
            return
        settings = self._settings()
        if not (self._folder / "data" / "meta.properties").exists():
            tool = java("kafka", "64m", "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", settings)
            formatting = await asyncio.create_subprocess_exec(*tool, stdout=asyncio.subprocess.DEVNULL)
            assert await formatting.wait() == 0
        command = java(
            "kafka", "192m", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "kafka.Kafka", settings
        )
        await self._process.start(command, os.environ, self._port)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        await self._process.stop(how)

    def send(self, what: signal.Signals) -> None:
        self._process.send(what)

    async def end(self) -> None:
        await self.stop()

    def _settings(self) -> Path:
        at, controller = f"127.0.0.1:{self._port}", f"127.0.0.1:{self._controller}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{at},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{at}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._folder / "data",
            "num.partitions": 3,
            "log.cleaner.dedupe.buffer.size": 2 << 20,
            "message.max.bytes": self.largest,
            "default.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "offsets.topic.replication.factor": 1,
            "group.initial.rebalance.delay.ms": 0,
            "auto.create.topics.enable": "false",
        }
        path = self._folder / "server.properties"
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path
