"""What Prometheus' API says of the server itself, and of whom it scrapes. Used by prometheus.

Kiali reads from it how often there are samples and how long they are kept; Grafana, which Prometheus it talks to.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from mesh.observe.metrics.round import target as labels_of
from mesh.observe.metrics.scraper import STEP_SECONDS, Scraper, Target
from mesh.observe.metrics.series import Bounds, Store

_RETENTION: Final = f"{Bounds.seconds / 3600:g}h"
_STEP: Final = f"{STEP_SECONDS:g}s"
_TIMEOUT: Final = "4s"

#: The Prometheus whose semantics are answered in.
BUILD: Final = {
    "version": "3.0.0",
    "revision": "meshwright",
    "branch": "",
    "buildUser": "",
    "buildDate": "",
    "goVersion": "",
}
CONFIGURATION: Final = {"yaml": f"global:\n  scrape_interval: {_STEP}\n  scrape_timeout: {_TIMEOUT}\n"}
FLAGS: Final = {
    "storage.tsdb.retention.time": _RETENTION,
    "query.lookback-delta": "5m",
    "web.enable-admin-api": "false",
}


def runtime(store: Store, began: float) -> Mapping[str, Any]:
    return {
        "startTime": _rfc3339(began),
        "reloadConfigSuccess": True,
        "storageRetention": _RETENTION,
        "timeSeriesCount": len(store),
    }


def targets(scraper: Scraper) -> Mapping[str, Any]:
    """Those of the last round."""
    return {"activeTargets": [_target(each) for each in scraper.targets], "droppedTargets": []}


def _target(found: Target) -> Mapping[str, Any]:
    labels = labels_of(found.pod)
    return {
        "discoveredLabels": labels,
        "labels": labels,
        "scrapePool": labels["job"],
        "scrapeUrl": f"unix:{found.pod.admin}/stats/prometheus",
        "globalUrl": "",
        "lastError": found.error,
        "lastScrape": _rfc3339(found.at),
        "lastScrapeDuration": found.seconds,
        "health": "down" if found.error else "up",
        "scrapeInterval": _STEP,
        "scrapeTimeout": _TIMEOUT,
    }


def _rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
