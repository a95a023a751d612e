"""`mesh explain` and `mesh test` ask istiod's proxies what they ask the charts, and real requests meet what is said."""

from __future__ import annotations

import json
import os
import subprocess
from typing import Any

import pytest

from tests.scenarios.local import MESH, ROOT

pytestmark = pytest.mark.cluster
CLUSTER = ("--kubeconfig", os.environ.get("KUBECONFIG", ""))
CHART = ("--chart", "charts/shop", "-n", "shop")


def mesh(*arguments: str) -> str:
    done = subprocess.run([MESH, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, f"mesh {' '.join(arguments)}: {done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        (("--from", "orders", "--to", "catalog", "--method", "GetProduct"), "allowed"),
        (("--from", "orders", "--to", "catalog", "--method", "ListProducts"), "refused"),
        (("--from", "ingress", "--to", "payments.shop.example", "--method", "Charge"), "refused"),
        (("--from", "payments", "--to", "orders", "--method", "PlaceOrder"), "unreachable"),
    ],
)
def test_istios_proxies_do_what_the_charts_say(asked: tuple[str, ...], verdict: str) -> None:
    found: dict[str, Any] = json.loads(mesh("explain", *asked, *CHART, *CLUSTER, "-o", "json"))
    assert (found["verdict"], found["differs"]) == (verdict, [])


def test_real_requests_meet_what_the_tests_expect() -> None:
    for each in ("money is asked for once", "nobody outside moves money", "reads are retried and shared"):
        mesh("test", *CLUSTER, "-k", each)
