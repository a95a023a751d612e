"""Where a service's process starts: `python -m services.catalog` calls main("services.catalog").

Input: the environment. Output: an exit code, 0 after a stop that was asked for, 1 with a log line that says why.
What is heavy is imported where it is needed, so that the parent of several workers stays small.
"""

import importlib
import os
import sys
from collections.abc import Coroutine
from types import ModuleType
from typing import Any, cast

from services.kit import settings


def main(package: str) -> None:
    """Runs the service whose package has a module `service` with a `SERVICE`; ends the process."""
    try:
        read = settings.from_environment(package.rpartition(".")[2])
    except settings.BadSetting as error:
        sys.exit(f"{package}: {error}")
    if read.workers > 1 and not read.shares_port:
        from services.kit.workers import supervise

        sys.exit(supervise(package, read))
    sys.exit(_serve(package, read))


def _serve(package: str, read: settings.Settings) -> int:
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")  # the one child is forked before gRPC starts
    sys.modules.setdefault(
        "rich", cast(ModuleType, None)
    )  # structlog would load it, 5 MB, for colours nobody sees
    import uvloop

    from services.kit import logs, migration
    from services.kit.app import CannotStart

    log = logs.configure(read)
    service = importlib.import_module(f"{package}.service").SERVICE
    migrating = migration.begin(service.package, read.database_url, read.migrate_to, log)
    try:
        uvloop.run(_running(service, read, log, migrating))
    except CannotStart as error:
        log.error("cannot start", reason=str(error))
        return 1
    return 0


def _running(service: Any, read: settings.Settings, log: Any, migrating: Any) -> Coroutine[Any, Any, None]:
    """The server of a Service (gRPC) or a Site (HTTP), each of which loads only what it needs."""
    from services.kit.app import Service

    if isinstance(service, Service):
        from services.kit import server

        return server.run(service, read, log, migrating)
    from services.kit.http import server as http

    return http.run(service, read, log, migrating)
