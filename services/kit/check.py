"""Asks services whether they are healthy: `python -m services.kit.check HOST:PORT...`, exit code 1 when one is not.

`helm test` runs it inside the mesh.
"""

import asyncio
import sys
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

SECONDS = 20.0


async def check(address: str) -> str:
    """ "SERVING", or what is wrong. Waits until the service can be reached, ``SECONDS`` at most."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)  # whose stubs name no methods
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=SECONDS, wait_for_ready=True)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


async def main(addresses: list[str]) -> int:
    found = await asyncio.gather(*map(check, addresses))
    for address, status in zip(addresses, found, strict=True):
        print(f"{address} {status}")
    return 0 if all(status == "SERVING" for status in found) else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
