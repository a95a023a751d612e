"""What breaks on a cluster: pods, deleted without a word, and the control plane. Each is there again before the next goes.

A pod whose database is in the pod is spared, since its data would go with it; catalog's come with its migrations.
"""

from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Awaitable, Callable, Sequence

from tests.chaos import injections
from tests.scenarios.cluster import kubectl
from tests.scenarios.engine import Engine, Object

SERVICES = ("inventory", "payments", "shipping", "orders")
LIMIT = "120s"


class DataInPods(Exception):
    """No service can lose its pod."""


def of(shop: Engine) -> Sequence[Callable[[random.Random], Awaitable[str]]]:
    """Raises DataInPods."""
    apps = [app for app in SERVICES if not any(_has_data(pod) for pod in shop.pods(app))]
    if not apps:
        raise DataInPods("every service has its database in its pod: install the release with PostgreSQL")
    pods = [functools.partial(_delete, shop, app) for app in (*apps, "catalog")]
    return [*pods, _delete_istiod, *injections.of(shop)]


def _has_data(pod: Object) -> bool:
    values = (each for container in pod["spec"]["containers"] for each in container.get("env", ()))
    return any(e["name"] == "DATABASE_URL" and e.get("value", "").startswith("sqlite") for e in values)


async def _delete(shop: Engine, app: str, source: random.Random) -> str:
    pods = await asyncio.to_thread(shop.pods, app)
    if not pods:
        return f"{app} has no pod"
    name = source.choice(pods)["metadata"]["name"]
    await _kubectl("delete", "pod", name, "--grace-period=0", "--force", "--wait=false")
    await _kubectl("wait", "pod", "-l", f"app={app}", "--for=condition=Ready", f"--timeout={LIMIT}")
    return f"deleted {name}"


async def _delete_istiod(source: random.Random) -> str:
    istiod = ("-n", "istio-system", "-l", "app=istiod")
    await _kubectl("delete", "pod", *istiod, "--grace-period=0", "--force", "--wait=false")
    await _kubectl("rollout", "status", "deployment/istiod", "-n", "istio-system", f"--timeout={LIMIT}")
    return "deleted istiod"


async def _kubectl(*arguments: str) -> None:
    await asyncio.to_thread(kubectl, *arguments)
