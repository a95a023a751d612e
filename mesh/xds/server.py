"""The control plane's face to Envoy: ADS and SDS, delta and state of the world, on one Unix socket.

local publishes a Snapshot for each proxy, and ca its secrets; proxies connect with the node ids they were
started with. This is only the I/O: what is sent and when is Stream's.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message

from mesh.envoy.snapshot import Snapshot
from mesh.xds.desired import from_secrets, from_snapshot
from mesh.xds.proxy import Connection, Proxy, ProxyStatus, Service
from mesh.xds.wire import DELTA, STATE_OF_THE_WORLD, Variant

_ADS = "envoy.service.discovery.v3.AggregatedDiscoveryService"
_SDS = "envoy.service.secret.v3.SecretDiscoveryService"
_METHODS = {
    _ADS: {
        "StreamAggregatedResources": (Service.ADS, STATE_OF_THE_WORLD),
        "DeltaAggregatedResources": (Service.ADS, DELTA),
    },
    _SDS: {
        "StreamSecrets": (Service.SDS, STATE_OF_THE_WORLD),
        "DeltaSecrets": (Service.SDS, DELTA),
    },
}

_Context = grpc.aio.ServicerContext[Any, Any]


class Rejected(Exception):
    """A proxy refused what was published for it. The text is Envoy's."""


class Server:
    """What every proxy is to hold. A proxy that nothing was published for waits until something is."""

    def __init__(self) -> None:
        self._proxies: dict[str, Proxy] = {}

    async def publish(self, proxy_id: str, snapshot: Snapshot) -> None:
        """Send a proxy what it does not hold yet, now or when it connects, without awaiting its answer."""
        self._proxy(proxy_id).publish(Service.ADS, from_snapshot(snapshot))

    async def publish_secrets(self, proxy_id: str, secrets: Mapping[str, Message]) -> None:
        """Send a proxy its secrets (by name: ``default``, ``ROOTCA``), now or when it connects."""
        self._proxy(proxy_id).publish(Service.SDS, from_secrets(secrets))

    def forget(self, proxy_id: str) -> None:
        """Publish nothing more for a proxy that is going away. It keeps what it has."""
        if proxy := self._proxies.get(proxy_id):
            for service in Service:
                proxy.publish(service, None)
            self._drop_unused(proxy_id)

    def status(self, proxy_id: str) -> ProxyStatus:
        """Where a proxy stands; all empty for an unknown one."""
        proxy = self._proxies.get(proxy_id)
        return proxy.status if proxy else ProxyStatus()

    async def wait_accepted(self, proxy_id: str, version: str, timeout: float) -> ProxyStatus:  # noqa: ASYNC109
        """Wait until a proxy has accepted ``version`` or one published after it; ``timeout`` is in seconds.

        Raises Rejected when the proxy refuses it and TimeoutError when it does not answer in time.
        """
        proxy = self._proxy(proxy_id)
        try:
            async with asyncio.timeout(timeout):
                while not (status := proxy.status).acked:
                    if status.rejected:
                        raise Rejected(f"{proxy_id} rejected version {status.version}: {status.rejected}")
                    await proxy.change()
        except TimeoutError:
            state = "is connected but has not answered" if proxy.status.connected else "is not connected"
            raise TimeoutError(
                f"{proxy_id} has not accepted {version} in {timeout:g} s: it {state}"
            ) from None
        return status

    @asynccontextmanager
    async def serve(self, socket: Path) -> AsyncIterator[None]:
        """Serve on a Unix socket while the context lasts; one left by a killed process is replaced."""
        server = grpc.aio.server()
        for service, methods in _METHODS.items():
            server.add_generic_rpc_handlers((self._handlers(service, methods),))
        _bind(server, socket)
        await server.start()
        try:
            yield
        finally:
            await server.stop(grace=None)

    def _handlers(
        self, service: str, methods: Mapping[str, tuple[Service, Variant]]
    ) -> grpc.GenericRpcHandler:
        handlers: dict[str, grpc.RpcMethodHandler[Any, Any]] = {
            name: grpc.stream_stream_rpc_method_handler(
                self._handler(kind, variant),
                request_deserializer=variant.request.FromString,
                response_serializer=lambda message: message.SerializeToString(),
            )
            for name, (kind, variant) in methods.items()
        }
        return grpc.method_handlers_generic_handler(service, handlers)

    def _handler(self, service: Service, variant: Variant) -> Any:
        async def handle(requests: AsyncIterator[Any], context: _Context) -> None:
            first = await anext(aiter(requests), None)
            if first is None:
                return
            if not first.node.id:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first request has no node.id")
            connection = Connection(service)
            with self._open(first.node.id, connection) as proxy:
                async with asyncio.TaskGroup() as group:
                    writing = group.create_task(_write(connection, context, variant))
                    proxy.receive(connection, variant.read(first))
                    async for message in requests:
                        proxy.receive(connection, variant.read(message))
                    writing.cancel()

        return handle

    @contextmanager
    def _open(self, proxy_id: str, connection: Connection) -> Iterator[Proxy]:
        proxy = self._proxy(proxy_id)
        proxy.open(connection)
        try:
            yield proxy
        finally:
            proxy.close(connection)
            self._drop_unused(proxy_id)

    def _proxy(self, proxy_id: str) -> Proxy:
        return self._proxies.setdefault(proxy_id, Proxy())

    def _drop_unused(self, proxy_id: str) -> None:
        if proxy_id in self._proxies and self._proxies[proxy_id].unused:
            del self._proxies[proxy_id]


async def _write(connection: Connection, context: _Context, variant: Variant) -> None:
    while True:
        await context.write(variant.write(await connection.outbox.get()))


def _bind(server: grpc.aio.Server, socket: Path) -> None:
    """Keys go over this socket: nobody but its owner may connect, from the first moment on."""
    before = os.umask(0o177)
    try:
        server.add_insecure_port(f"unix:{socket}")
    finally:
        os.umask(before)
