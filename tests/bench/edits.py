"""From an edit's arrival at the API until every proxy that it concerns has accepted it, as the object's status says."""

from __future__ import annotations

import statistics
import time
from typing import Any

from kubernetes import client, config, watch

from tests.bench.report import Row
from tests.bench.shop import Shop

EDITS = 100
WHERE = ("networking.istio.io", "v1", "shop", "virtualservices")


def edits(shop: Shop) -> list[Row]:
    """A hundred weights of the catalog, one after the other; a watch tells when."""
    load: Any = config.new_client_from_config
    api = client.CustomObjectsApi(load(config_file=str(shop.kubeconfig)))
    took = []
    for i in range(EDITS):
        found = api.get_namespaced_custom_object(*WHERE, "catalog")
        spec = found["spec"]
        for route in spec["http"]:
            if len(route["route"]) == 2:
                route["route"][0]["weight"], route["route"][1]["weight"] = i % 101, 100 - i % 101
        started = time.perf_counter()
        made = api.patch_namespaced_custom_object(*WHERE, "catalog", {"spec": spec})
        _wait_accepted(api, made)
        took.append((time.perf_counter() - started) * 1000)
    took.sort()
    return [
        Row("edit to accepted", "median", round(statistics.median(took), 1), "ms", "100"),
        Row("edit to accepted", "95th of 100", round(took[94], 1), "ms"),
    ]


def _wait_accepted(api: client.CustomObjectsApi, made: dict[str, Any]) -> None:
    generation = made["metadata"]["generation"]
    events = watch.Watch().stream(
        api.list_namespaced_custom_object,
        *WHERE,
        field_selector="metadata.name=catalog",
        resource_version=made["metadata"]["resourceVersion"],
        timeout_seconds=10,
    )
    for event in events:
        status = event["object"].get("status", {})
        if status.get("observedGeneration") == generation and status["conditions"][0]["status"] == "True":
            return
    raise TimeoutError(f"generation {generation} was not accepted within 10 s")
