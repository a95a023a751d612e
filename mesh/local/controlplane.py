"""The control plane: one process that keeps a mesh running on this machine.

`python -m mesh.local.controlplane MESH_YAML` is started by `mesh up`, which follows what it says in `.mesh/run/progress.json`. On SIGTERM it
stops everything it started; killed, it leaves all pods running, and the next one adopts them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import uvloop

from mesh.ca.authority import Authority
from mesh.ca.certificate import CertificateError
from mesh.ca.rotation import Rotation
from mesh.local import config as configuration
from mesh.local import observatory, observing, ports, proxies, release
from mesh.local.api import serve
from mesh.local.config import Config
from mesh.local.container import Container
from mesh.local.controllers import Pods, deployments
from mesh.local.jwks import Keys
from mesh.local.logs import Pods as Logs
from mesh.local.paths import SOCKET, Paths
from mesh.local.progress import Progress
from mesh.local.publisher import Publisher
from mesh.local.store import Refused, Store, Unusable, kind
from mesh.local.validate import validate
from mesh.local.world import World
from mesh.xds.server import Server

WATCH_SECONDS = 0.5
STOP_SECONDS = 10.0


async def main(path: Path) -> int:
    """Run until SIGTERM or SIGINT; 1 when it could not start, after saying why in the progress file."""
    paths = Paths.below(path.parent)
    paths.make()
    progress = Progress(paths.progress)
    with _alone(paths) as lock:
        if lock is None:
            return 1
        progress.say("starting")
        loaded, problems = configuration.load(path)
        if loaded is None or any(p.severity == "error" for p in problems):
            progress.failed(problems)
            return 1
        wanted = await asyncio.to_thread(release.wanted, loaded)
        if wanted.errors:
            progress.failed([*problems, *wanted.problems])
            return 1
        progress.files([*problems, *wanted.problems])
        os.chdir(paths.run)
        try:
            await _run(path, loaded, paths, progress, wanted)
        except (Unusable, Refused, CertificateError, OSError) as error:
            progress.failed([], str(error))
            return 1
    return 0


async def _run(path: Path, config: Config, paths: Paths, progress: Progress, wanted: release.Wanted) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    server = Server()
    authority = Authority.open(paths.authority)
    rotation = Rotation(authority, server.publish_secrets, config.settings.certificates.lifetime)
    namespace = config.settings.releases[0].namespace
    async with Store(paths.store, validate=validate) as store, contextlib.AsyncExitStack() as stack:
        taken = {port for pod in store.list(kind("Pod")) for port in ports.of(pod).used}
        taken.update(observatory.taken(paths))
        allocator = stack.enter_context(contextlib.closing(ports.Allocator(taken)))
        world = World(config, paths, store, server, rotation, allocator)
        if config.settings.observatory.enabled:
            world.observatory = observatory.settle(paths, allocator)
        logs = Logs(paths, store)
        async with (
            serve(store, paths.root, logs=logs, ports=logs, namespace=namespace),
            server.serve(Path(SOCKET)),
        ):
            await release.apply(store, wanted.objects)
            pods = Pods(world)
            watching = (
                observing.container(paths, world.observatory, config.settings.observatory.keep)
                if world.observatory
                else None
            )
            await _until(stop, world, pods, watching, path, progress)
            progress.say("stopping")
            await pods.stop(STOP_SECONDS)
            if watching:  # the last to go, since the others tell it of their ends
                await watching.stop(observing.GRACE_SECONDS)


async def _until(
    stop: asyncio.Event,
    world: World,
    pods: Pods,
    watching: Container | None,
    path: Path,
    progress: Progress,
) -> None:
    """All tasks, until ``stop`` is set."""
    keys = Keys()
    publisher = Publisher(world, keys)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(publisher.run(), name="publisher"),
            group.create_task(keys.run(), name="keys"),
            group.create_task(deployments(world), name="deployments"),
            group.create_task(pods.run(), name="pods"),
            group.create_task(world.rotation.run(), name="rotation"),
            group.create_task(_follow(world, path, progress), name="files"),
            group.create_task(proxies.follow(world), name="proxies"),
            group.create_task(progress.follow(world, publisher), name="progress"),
        ]
        if watching:
            tasks.append(group.create_task(watching.run(), name=observatory.NAME))
        await stop.wait()
        for task in tasks:
            task.cancel()


async def _follow(world: World, path: Path, progress: Progress) -> None:
    """Apply what changes in charts, values and mesh.yaml; what is wrong is said, and nothing of it applied."""
    seen = await asyncio.to_thread(release.watched, world.config, path)
    while True:
        await asyncio.sleep(WATCH_SECONDS)
        now = await asyncio.to_thread(release.watched, world.config, path)
        if now == seen:
            continue
        seen = now
        loaded, problems = configuration.load(path)
        if loaded is None or any(p.severity == "error" for p in problems):
            progress.files(problems)
            continue
        wanted = await asyncio.to_thread(release.wanted, loaded)
        refusal = ""
        if not wanted.errors:
            world.config = loaded
            try:
                await release.apply(world.store, wanted.objects)
            except Refused as refused:
                refusal = str(refused)
        progress.files([*problems, *wanted.problems], refusal)


@contextlib.contextmanager
def _alone(paths: Paths) -> Iterator[IO[str] | None]:
    """One control plane a mesh: None when another holds the lock."""
    with (paths.run / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield None
            return
        yield lock


if __name__ == "__main__":
    sys.exit(uvloop.run(main(Path(sys.argv[1]).absolute())))
