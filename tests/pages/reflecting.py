"""A real gRPC server of the payments' contract, with reflection, which knows every charge that it is asked for; and a mesh in which it runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection

from mesh.dash.sources import Sources
from services.gen.shop.payments.v1 import payments_pb2 as pb
from services.gen.shop.payments.v1.payments_pb2_grpc import (
    PaymentsServiceServicer,
    add_PaymentsServiceServicer_to_server,
)
from tests.pages.recorded import shop
from tests.pages.traced import orders

SERVICE = "shop.payments.v1.PaymentsService"
HOST = "payments.shop.svc.cluster.local:50051"


class _Payments(PaymentsServiceServicer):
    def GetCharge(self, request: Any, context: Any) -> Any:
        return pb.GetChargeResponse(charge=pb.Charge(key=request.key))


@contextmanager
def payments() -> Iterator[int]:
    """Yields its port."""
    server = grpc.server(ThreadPoolExecutor(4))
    add_PaymentsServiceServicer_to_server(_Payments(), server)
    reflection.enable_server_reflection([SERVICE, reflection.SERVICE_NAME], server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


def sources(port: int) -> Sources:
    """The shop, whose payments run there, and whose orders reach them there."""
    objects, metrics = shop()
    for each in objects.kept:
        given: dict[str, Any] = {"inbound": {}, "application": {}, "outbound": {}, "gateway": {}}
        if each["metadata"]["name"] == "payments-abc12":
            given |= {
                "application": {"50051": port},
                "inbound": {"50051": 65000},
            }  # which nobody dials: no sidecar runs
        if each["metadata"]["name"] == "orders-abc12":
            given["outbound"] = {HOST: port}
        if each["kind"] == "Pod":
            each["metadata"]["annotations"]["meshwright.dev/ports"] = json.dumps(given)
    objects.kept.append(_policy())
    return Sources("shop", objects, metrics, orders(), local=True)


def _policy() -> dict[str, Any]:
    rule = {
        "from": [{"source": {"principals": ["cluster.local/ns/shop/sa/orders"]}}],
        "to": [{"operation": {"paths": [f"/{SERVICE}/Charge"]}}],
    }
    return {
        "apiVersion": "security.istio.io/v1",
        "kind": "AuthorizationPolicy",
        "metadata": {"name": "orders-to-payments", "namespace": "shop", "uid": "policy"},
        "spec": {"selector": {"matchLabels": {"app": "payments"}}, "action": "ALLOW", "rules": [rule]},
    }
