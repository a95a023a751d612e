"""A PostgreSQL server as processes of its own, on a Unix socket in a folder; None where PostgreSQL is not installed.

Everybody gets in without a password but the members of the role `guarded`.
"""

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

OWNER = "postgres"
GUARDED = "guarded"


def binaries() -> Path | None:
    """The newest installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@asynccontextmanager
async def postgres(binaries: Path, folder: Path) -> AsyncIterator[str]:
    """Yields the folder of its socket; its user may connect to any database without a password."""
    folder.mkdir()
    user = OWNER if os.geteuid() == 0 else None  # it refuses to run as root
    if user:
        shutil.chown(folder, user)
    data = folder / "data"
    made = await asyncio.create_subprocess_exec(
        binaries / "initdb", "-D", data, "-U", OWNER, "-A", "trust", "--no-sync", user=user, cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    access = data / "pg_hba.conf"
    access.write_text(f"local all +{GUARDED} scram-sha-256\n{access.read_text()}")
    server = await asyncio.create_subprocess_exec(
        binaries / "postgres", "-D", data, "-k", folder, "-c", "listen_addresses=", "-F", user=user,
        cwd=folder, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    pid = data / "postmaster.pid"  # its last line says in which state the server is
    try:
        async with asyncio.timeout(30):
            while "ready" not in (pid.read_text() if pid.exists() else ""):
                assert server.returncode is None
                await asyncio.sleep(0.02)
        yield str(folder)
    finally:
        server.send_signal(signal.SIGINT)
        await server.wait()
