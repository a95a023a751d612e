"""A gRPC server with nothing but health: serves on 127.0.0.1:$PORT until SIGTERM. ``crash`` and ``never`` do what they say."""

import asyncio
import os
import signal
import sys

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


async def main(habit: str) -> int:
    if habit == "crash":
        print("web cannot start: no database", flush=True)
        return 3
    server = grpc.aio.server()
    servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    serving = (
        health_pb2.HealthCheckResponse.NOT_SERVING
        if habit == "never"
        else health_pb2.HealthCheckResponse.SERVING
    )
    await servicer.set("", serving)
    server.add_insecure_port(f"127.0.0.1:{os.environ['PORT']}")
    await server.start()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await server.stop(1)
    return 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1] if len(sys.argv) > 1 else "")))
