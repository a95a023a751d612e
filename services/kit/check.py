"""Asks services whether they are healthy: `python -m services.kit.check HOST:PORT...`, exit code 1 when one is not.

One of HTTP is given as a URL, which answers with 200 when it is well.

`helm test` runs it inside the mesh.
"""

import asyncio
import sys
import time
import urllib.request
from http import HTTPStatus
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS = 20.0
PAUSE = 0.5
SERVING = "SERVING"


async def check(address: str) -> str:
    """ "SERVING", or what is wrong. Waits until the service can be reached, ``SECONDS`` at most."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # whose stubs name no methods
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def check_url(url: str) -> str:
    """The same of a service of HTTP."""
    end = time.monotonic() + SECONDS
    while True:
        found = await asyncio.to_thread(_get, url)
        if found == SERVING or time.monotonic() > end:
            return found
        await asyncio.sleep(PAUSE)


def _get(url: str) -> str:
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310  whoever runs this says which
            return SERVING if answer.status == HTTPStatus.OK else f"answered {answer.status}"
    except OSError as error:  # also for statuses of errors
        return str(error)


async def main(addresses: list[str]) -> int:
    found = await asyncio.gather(*(check_url(each) if "://" in each else check(each) for each in addresses))
    for address, status in zip(addresses, found, strict=True):
        print(f"{address} {status}")
    return 0 if all(status == SERVING for status in found) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
