"""A mesh as its sources would tell it, for tests of the page that are not about the sources: objects, and the metrics of its edges."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from mesh.dash.kubernetes import Refused
from mesh.dash.prometheus import Sample, Series

Object = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """Between workloads, by the name of a service: ``failing`` of ``rate`` end with UNAVAILABLE."""

    source: str
    target: str
    service: str
    rate: float
    failing: float = 0.0
    p95: float = 12.0
    mtls: bool = True


def workload(name: str, app: str, version: str = "v1", namespace: str = "shop", **more: Any) -> Object:
    """One pod of it, ready unless told otherwise."""
    ready = more.pop("ready", True)
    environment = [{"name": key, "value": value} for key, value in more.pop("env", {}).items()]
    labels = {"app": app, "version": version, "security.istio.io/tlsMode": "istio", **more.pop("labels", {})}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-abc12",
            "namespace": namespace,
            "uid": f"{namespace}-{name}",
            "labels": labels,
            "annotations": more.pop("annotations", {}),
            "ownerReferences": [{"kind": "Deployment", "name": name}],
        },
        "spec": {
            "serviceAccountName": app,
            "containers": [
                {"name": app, "ports": [{"name": "grpc", "containerPort": 50051}], "env": environment}
            ],
        },
        "status": {
            "podIP": f"10.1.{sum(map(ord, name)) % 250}.{len(name)}",
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "containerStatuses": [{"name": app, "restartCount": 0, "state": {"running": {}}}],
            "proxy": {
                "acked": True,
                "version": "98bf27c812e45f47",
                "identity": f"spiffe://cluster.local/ns/{namespace}/sa/{app}",
                "certificateExpires": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 80_000)),
            },
        },
    }


def service(name: str, namespace: str = "shop", port: str = "grpc", number: int = 50051) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": namespace, "uid": f"service-{namespace}-{name}"},
        "spec": {
            "selector": {"app": name},
            "clusterIP": "10.9.0.1",
            "ports": [{"name": port, "port": number, "targetPort": number}],
        },
    }


def route(name: str, weights: tuple[int, int], namespace: str = "shop") -> list[Object]:
    """A DestinationRule with two versions and a VirtualService that divides calls between them."""
    host = f"{name}.{namespace}.svc.cluster.local"
    places = [
        {"destination": {"host": host, "subset": f"v{i + 1}"}, "weight": each}
        for i, each in enumerate(weights)
    ]
    metadata = {"name": name, "namespace": namespace, "resourceVersion": "1", "generation": 1}
    subsets = [{"name": each, "labels": {"version": each}} for each in ("v1", "v2")]
    return [
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "DestinationRule",
            "metadata": {**metadata, "uid": f"rule-{name}"},
            "spec": {"host": host, "subsets": subsets},
        },
        {
            "apiVersion": "networking.istio.io/v1",
            "kind": "VirtualService",
            "metadata": {**metadata, "uid": f"route-{name}"},
            "spec": {"hosts": [host], "http": [{"name": "all", "route": places, "timeout": "3s"}]},
            "status": {
                "observedGeneration": 1,
                "conditions": [
                    {"type": "Accepted", "status": "True", "message": "accepted by 7 of 7 proxies"}
                ],
            },
        },
    ]


@dataclass
class Metrics:
    """Answers the questions of mesh.dash.queries about ``calls``."""

    calls: Sequence[Call]
    broken: Sequence[tuple[str, str, str]] = ()

    def instant(self, query: str, at: float | None = None) -> Sequence[Sample]:
        if "istio_requests_total" in query:
            return list(self._requests(0.5 if at else 1.0))
        if "histogram_quantile" in query:
            quantile = float(query.partition("(")[2].partition(",")[0])
            return [Sample(_ends(each), each.p95 * quantile) for each in self.calls if each.rate]
        metric = {"upstream_rq_retry": "retry", "default_rq_open": "open", "ejections_active": "ejected"}
        wanted = next((name for part, name in metric.items() if part in query), "")
        return [
            Sample({"pod": f"{pod}-abc12", "namespace": "shop", "cluster_name": cluster}, 1.0)
            for kind, pod, cluster in self.broken
            if kind == wanted
        ]

    def series(self, query: str, start: float, end: float, step: float) -> Sequence[Series]:
        wave = [0.6 + 0.4 * abs((i * 7) % 40 - 20) / 20 for i in range(int((end - start) / step) + 1)]
        moments = [start + i * step for i in range(len(wave))]
        if query.startswith("sum by (destination_workload)"):
            told = (each for each in self.calls if f'service_name="{each.service}"' in query)
            rates = {each.target.partition("/")[2]: each.rate for each in told}
        else:
            good = "grpc_response_status" in query
            rates = {"": sum(each.rate * (1 - each.failing if good else 1) for each in self.calls)}
        return [
            Series(
                {"destination_workload": name},
                [(at, rate * part) for at, part in zip(moments, wave, strict=True)],
            )
            for name, rate in rates.items()
        ]

    def _requests(self, part: float) -> Iterator[Sample]:
        for each in self.calls:
            for status, rate in (("0", each.rate * (1 - each.failing)), ("14", each.rate * each.failing)):
                labels = {
                    **_ends(each),
                    "request_protocol": "grpc",
                    "response_code": "200",
                    "grpc_response_status": status,
                }
                policy = "mutual_tls" if each.mtls else "none"
                yield Sample(
                    {**labels, "reporter": "source", "connection_security_policy": "unknown"}, rate * part
                )
                yield Sample(
                    {**labels, "reporter": "destination", "connection_security_policy": policy}, rate * part
                )


def _ends(call: Call) -> dict[str, str]:
    (from_, source), (to, target) = call.source.split("/"), call.target.split("/")
    return {
        "source_workload": source,
        "source_workload_namespace": from_,
        "destination_workload": target,
        "destination_workload_namespace": to,
        "destination_service_name": call.service,
        "destination_service_namespace": to,
    }


@dataclass
class Objects:
    """A Kubernetes API of a few objects."""

    kept: list[Object] = field(default_factory=list)

    def objects(self) -> Sequence[Object]:
        return self.kept

    def get(self, kind: str, namespace: str, name: str) -> Object:
        for each in self.kept:
            if (each["kind"], each["metadata"]["namespace"], each["metadata"]["name"]) == (
                kind,
                namespace,
                name,
            ):
                return each
        raise Refused(404, f"there is no {kind} {namespace}/{name}")

    def replace(self, obj: Object) -> Object:
        metadata = obj["metadata"]
        before = self.get(obj["kind"], metadata["namespace"], metadata["name"])
        if metadata.get("resourceVersion") != before["metadata"]["resourceVersion"]:
            raise Refused(409, "it has been changed meanwhile")
        version = str(int(metadata["resourceVersion"]) + 1)
        made = {**before, "spec": obj["spec"], "metadata": {**before["metadata"], "resourceVersion": version}}
        self.kept[self.kept.index(before)] = made
        return made


def shop() -> tuple[Objects, Metrics]:
    """Much as the project's own: one caller fails a little, one proxy is broken, one edge is no mTLS."""
    database = {
        name: {"DATABASE_URL": f"sqlite+aiosqlite:////data/{name}.db"}
        for name in ("catalog", "orders", "payments", "inventory")
    }
    gateway = {"annotations": {"inject.istio.io/templates": "gateway"}}
    objects = [
        workload("ingress", "ingress", "", **gateway),
        workload("storefront", "storefront"),
        workload("catalog-v1", "catalog", "v1", env=database["catalog"]),
        workload("catalog-v2", "catalog", "v2", env=database["catalog"]),
        workload("orders", "orders", env={**database["orders"], "EVENTS_URL": "nats://broker:4222"}),
        workload("payments", "payments", env=database["payments"]),
        workload("inventory", "inventory", env=database["inventory"]),
        workload("shipping", "shipping"),
        workload("recommendations", "recommendations", ready=False),
        workload("notifications", "notifications", env={"EVENTS_URL": "nats://broker:4222"}),
        workload("broker", "broker", ""),
        *map(
            service,
            ("storefront", "catalog", "orders", "payments", "inventory", "shipping", "recommendations"),
        ),
        service("broker", port="tcp-nats", number=4222),
        service("ingress", port="http", number=80),
        *route("catalog", (90, 10)),
    ]
    calls = [
        Call("shop/ingress", "shop/storefront", "storefront", 48.0),
        Call("shop/storefront", "shop/catalog-v1", "catalog", 32.0),
        Call("shop/storefront", "shop/catalog-v2", "catalog", 4.1, p95=31.0),
        Call("shop/storefront", "shop/orders", "orders", 9.0, failing=0.02, p95=140.0),
        Call("shop/storefront", "shop/recommendations", "recommendations", 6.0, failing=1.0),
        Call("shop/orders", "shop/catalog-v1", "catalog", 8.0),
        Call("shop/orders", "shop/catalog-v2", "catalog", 1.0),
        Call("shop/orders", "shop/payments", "payments", 8.8, failing=0.15, p95=90.0),
        Call("shop/orders", "shop/inventory", "inventory", 17.0),
        Call("shop/orders", "shop/shipping", "shipping", 7.7, mtls=False),
    ]
    broken = [
        ("open", "storefront", "outbound|50051||recommendations.shop.svc.cluster.local"),
        ("retry", "orders", "outbound|50051||inventory.shop.svc.cluster.local"),
    ]
    return Objects(objects), Metrics(calls, broken)


def large(services: int = 300) -> tuple[Objects, Metrics]:
    """Several namespaces; each service is called by one to three of those before it."""
    objects: list[Object] = []
    calls: list[Call] = []
    seed = 7
    for i in range(services):
        namespace, name = f"team-{i % 9}", f"service-{i:03}"
        objects += [workload(name, name, namespace=namespace), service(name, namespace)]
        for _ in range(1 + i % 3 if i else 0):
            seed = (seed * 1103515245 + 12345) % 2**31
            caller = int(i * (seed / 2**31) ** 2)
            failing = 0.2 if seed % 40 == 0 else 0.0
            source = f"team-{caller % 9}/service-{caller:03}"
            calls.append(Call(source, f"{namespace}/{name}", name, 1 + seed % 50, failing))
    return Objects(objects), Metrics(calls)
