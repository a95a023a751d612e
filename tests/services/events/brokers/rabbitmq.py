"""RabbitMQ from Debian's rabbitmq-server, whose scripts run without its service and its user."""

import os
import signal
from pathlib import Path

from tests.services.events.brokers.process import SMALL, Process, free_port, until

SCRIPT = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
EPMD = "epmd"  # Erlang's register of nodes: a process of ours, or RabbitMQ would leave one behind
LOOPBACK = "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none"
SYNC = 'spawn(fun()->L=fun(G)->timer:sleep(50),[dets:sync(T)||T<-dets:all()],file:write_file("%s",[]),G(G)end,L(L)end)'
"""RabbitMQ 3.10 writes down which quorum queues there are each three minutes, for which a test that kills it cannot wait."""


class RabbitMqServer:
    """Everything it keeps and says is under `folder`."""

    missing = "" if SCRIPT.exists() else "RabbitMQ is not installed: scripts/brokers does it"

    def __init__(self, folder: Path) -> None:
        self.largest = SMALL
        self._folder = folder
        self._port, self._nodes, self._dist = free_port(), free_port(), free_port()
        self._synced = folder / "synced"
        self._epmd = Process(folder / "epmd.log")
        self._process = Process(folder / "rabbitmq.log")

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self._port}/"

    async def start(self) -> None:
        env = os.environ | {"ERL_EPMD_PORT": str(self._nodes), "ERL_EPMD_ADDRESS": "127.0.0.1"}
        if not self._epmd.runs:
            await self._epmd.start([EPMD], env, self._nodes)
        if not self._process.runs:
            await self._process.start([SCRIPT], env | self._settings(), self._port)

    async def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        for _ in range(2):  # the first may have begun before what the test did last
            self._synced.unlink(missing_ok=True)
            await until(lambda: self._synced.exists() or not self._process.runs)
        await self._process.stop(how)

    def send(self, what: signal.Signals) -> None:
        self._process.send(what)

    async def end(self) -> None:
        await self.stop()
        await self._epmd.stop()

    def _settings(self) -> dict[str, str]:
        folder = self._folder
        config = {
            "listeners.tcp.local": f"127.0.0.1:{self._port}",
            "max_message_size": self.largest,
            "disk_free_limit.absolute": "10MB",
        }
        (folder / "rabbitmq.conf").write_text("".join(f"{key} = {value}\n" for key, value in config.items()))
        (folder / "plugins").write_text("[].\n")
        return {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"test{self._port}@localhost",
            "RABBITMQ_DIST_PORT": str(self._dist),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": f"{LOOPBACK} -eval {SYNC % self._synced}",
        }
