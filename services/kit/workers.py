"""Several processes on one port: a parent that starts them, restarts one that dies, and ends them together.

Input: settings with more than one worker. Output: an exit code. The kernel shares connections out between the processes
(SO_REUSEPORT). The parent holds the port too, without listening, so that port 0 is one port for all. It imports nothing
heavy and serves nothing.
"""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass

from services.kit.settings import Settings

QUICK = 5.0  # a worker that lives shorter than this, seconds, did not work at all
TRIES = 3


@dataclass
class Worker:
    """One process; `failures` in a row that came too quickly."""

    process: subprocess.Popen[bytes]
    started: float
    failures: int = 0


def supervise(package: str, settings: Settings) -> int:
    """Runs until a signal has ended all workers (0), or one keeps failing at start (its exit code)."""
    stopping = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stopping.set())
    held = _hold(settings)
    port = held.getsockname()[1]
    workers = [Worker(_start(package, port, n), time.monotonic()) for n in range(settings.workers)]
    code = 0
    while not stopping.wait(0.2) and not code:
        code = _restart(workers, package, port)
    _end([worker.process for worker in workers], settings.drain + settings.stop + QUICK)
    held.close()
    return code


def _hold(settings: Settings) -> socket.socket:
    host = settings.host.strip("[]")
    held = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    held.bind((host, settings.port))
    return held


def _start(package: str, port: int, number: int) -> subprocess.Popen[bytes]:
    env = os.environ | {"WORKER": str(number), "PORT": str(port)}
    return subprocess.Popen([sys.executable, "-m", package], env=env)


def _restart(workers: list[Worker], package: str, port: int) -> int:
    """Starts again what has died. Returns the exit code of one that has failed too often, else 0."""
    for number, worker in enumerate(workers):
        code = worker.process.poll()
        if code is None:
            continue
        lived = time.monotonic() - worker.started
        worker.failures = worker.failures + 1 if lived < QUICK else 0
        if worker.failures >= TRIES:
            return code or 1
        worker.process, worker.started = _start(package, port, number), time.monotonic()
    return 0


def _end(processes: list[subprocess.Popen[bytes]], patience: float) -> None:
    for process in processes:
        process.terminate()
    limit = time.monotonic() + patience
    for process in processes:
        try:
            process.wait(max(0.0, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
