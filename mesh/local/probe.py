"""Kubernetes' probes, run against the process itself: gRPC health, HTTP, TCP and commands, with their thresholds.

The runner watches one Health a container and puts it into the Pod's status.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import grpc
from grpc_health.v1 import health_pb2

Object = Mapping[str, Any]
_CHECK = "/grpc.health.v1.Health/Check"


class Question(Protocol):
    """What a process is asked again and again: a probe, or of a sidecar whether it has its configuration. Times are in seconds."""

    @property
    def period(self) -> float: ...
    @property
    def delay(self) -> float: ...
    @property
    def failures(self) -> int: ...
    @property
    def successes(self) -> int: ...

    async def ask(self) -> str:
        """Once: "" when the answer is good, else why it is not."""
        ...


@dataclass(frozen=True)
class Probe:
    """One probe; seconds and thresholds default as Kubernetes' do."""

    spec: Object
    ports: Mapping[int, int]
    environment: Mapping[str, str]

    @property
    def period(self) -> float:
        return float(self.spec.get("periodSeconds", 10))

    @property
    def delay(self) -> float:
        return float(self.spec.get("initialDelaySeconds", 0))

    @property
    def failures(self) -> int:
        return int(self.spec.get("failureThreshold", 3))

    @property
    def successes(self) -> int:
        return int(self.spec.get("successThreshold", 1))

    async def ask(self) -> str:
        """Once: "" when it succeeded, else why not."""
        limit = float(self.spec.get("timeoutSeconds", 1))
        try:
            async with asyncio.timeout(limit):
                return await self._ask(limit)
        except TimeoutError:
            return f"no answer within {limit:g} s"
        except OSError as error:
            return str(error)

    async def _ask(self, limit: float) -> str:
        if "grpc" in self.spec:
            return await _grpc(
                self._port(self.spec["grpc"]["port"]), self.spec["grpc"].get("service") or "", limit
            )
        if "httpGet" in self.spec:
            return await _http(
                self._port(self.spec["httpGet"]["port"]), self.spec["httpGet"].get("path") or "/"
            )
        if "tcpSocket" in self.spec:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port(self.spec["tcpSocket"]["port"]))
            writer.close()
            return ""
        return await _command(self.spec["exec"]["command"], self.environment)

    def _port(self, port: int) -> int:
        return self.ports.get(int(port), int(port))


async def _grpc(port: int, service: str, limit: float) -> str:
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        call = channel.unary_unary(
            _CHECK,
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        try:
            answer = await call(health_pb2.HealthCheckRequest(service=service), timeout=limit)
        except grpc.aio.AioRpcError as error:
            return f"{error.code().name}: {error.details()}"
    serving = answer.status == health_pb2.HealthCheckResponse.SERVING
    return "" if serving else f"health is {health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)}"


async def _http(port: int, path: str) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        words = (await reader.readline()).split()
    finally:
        writer.close()
    status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
    return "" if 200 <= status < 400 else f"answered {status or 'no HTTP'}"


async def _command(command: list[str], environment: Mapping[str, str]) -> str:
    process = await asyncio.create_subprocess_exec(*command, env=dict(environment))
    try:
        code = await process.wait()
    finally:
        if process.returncode is None:
            process.kill()
    return "" if code == 0 else f"exited with {code}"
