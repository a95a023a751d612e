"""Our control plane, as `mesh up` links, compiles and serves, as a process of its own: `python -m tests.bench.scale.ours SOCKET SERVICES`.

One order a line on standard input (``publish``, or the name of an edit), one answer a line: the CPU seconds that this process took for it, and
how many proxies were compiled.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any

from mesh.compile.compiler import Compiler
from mesh.compile.successor import succeed
from mesh.envoy.patching import linked
from mesh.link.memo import Memo
from mesh.model.mesh import CLUSTER
from mesh.resources.object import from_json
from mesh.xds.server import Server
from tests.bench.scale import mesh as bench

ANOTHER = "one new service"


class Plane:
    """The state of the control plane between two orders."""

    def __init__(self, services: int) -> None:
        self._services = services
        self._raw = bench.manifests(services)
        self._objects: list[Any] = [from_json(each, "bench")[0] for each in self._raw]
        self._memo = Memo()
        self._compiler: Compiler | None = None
        self.server = Server()

    async def obey(self, order: str) -> int:
        """How many proxies were compiled."""
        if order == ANOTHER:
            added = list(bench.service(self._services, self._services))
            self._raw += added
            self._objects += [from_json(each, "bench")[0] for each in added]
        elif order != "publish":
            place, made = bench.edited(self._raw, order)
            self._raw[place], self._objects[place] = made, from_json(made, "bench")[0]
        mesh, _ = linked(self._objects, True, self._memo)
        self._compiler, workloads = succeed(self._compiler, mesh, CLUSTER)
        for each in workloads:
            await self.server.publish(each.proxy_id, self._compiler.compile(each)[0])
        return len(workloads)


async def main(socket: Path, services: int) -> None:
    plane = Plane(services)
    loop = asyncio.get_running_loop()
    async with plane.server.serve(socket):
        print("ready", flush=True)
        while order := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
            if order == "cpu":
                print(json.dumps(time.process_time()), flush=True)
                continue
            print(json.dumps(await plane.obey(order)), flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), int(sys.argv[2])))
