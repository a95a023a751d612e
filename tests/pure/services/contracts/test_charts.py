"""What the charts render to is what the contracts and `calls` say; the cases that follow from them find what is not."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from mesh.local.render import render
from services.contracts import charts

ROOT = Path(__file__).resolve().parents[4]
UMBRELLA = ROOT / "charts" / "shop"
MESH = Path(sys.executable).with_name("mesh")


@pytest.fixture(scope="module")
def objects() -> list[dict[str, Any]]:
    rendered = render(UMBRELLA, "shop", "shop", overrides={"operator": {"enabled": True}})
    assert not rendered.problems
    return [each for each in yaml.safe_load_all(rendered.text) if each]


def calls() -> set[tuple[str, str]]:
    """(caller, called)"""
    enabled = [c for c in charts.read(UMBRELLA).values() if c.installed or c.name == "operator"]
    return {(chart.name, call.to) for chart in enabled for call in chart.calls}


def test_each_call_has_its_networkpolicies_and_no_other_has(objects: list[dict[str, Any]]) -> None:
    policies = [each["spec"] for each in objects if each["kind"] == "NetworkPolicy"]
    grpc = [{"port": 50051}]
    let_in = {
        (
            source["podSelector"]["matchLabels"]["meshwright.dev/account"],
            spec["podSelector"]["matchLabels"]["app"],
        )
        for spec in policies
        for rule in spec.get("ingress", ())
        if rule.get("ports") == grpc
        for source in rule["from"]
    }
    let_out = {
        (spec["podSelector"]["matchLabels"]["app"], to["podSelector"]["matchLabels"]["app"])
        for spec in policies
        for rule in spec.get("egress", ())
        if rule.get("ports") == grpc
        for to in rule["to"]
    }
    assert let_in == calls()
    assert let_out == {call for call in calls() if call[0] != "ingress"}, "the gateway's way out is free"


@pytest.mark.parametrize(
    ("file", "before", "after", "case"),
    [
        (
            "charts/lib/templates/_traffic.tpl",
            "retries: {attempts: 0}\n      {{- end }}",
            "retries: {attempts: 2}\n      {{- end }}",
            "orders: calls that are tried once: orders -> payments",
        ),
        (
            "charts/lib/templates/_traffic.tpl",
            "timeout: {{ $timeout }}s",
            "timeout: 60s",
            "orders: calls that may be repeated, and are: orders -> payments",
        ),
        (
            "charts/lib/templates/_security.tpl",
            '{{- include "service.paths" (dict "call" .) | trim | nindent 14 }}',
            '- "*"',
            "orders declares no call of these: orders -> payments",
        ),
    ],
)
def test_a_template_that_says_something_else_is_found_out(
    tmp_path: Path, file: str, before: str, after: str, case: str
) -> None:
    shop = tmp_path / "shop"
    shutil.copytree(UMBRELLA, shop)
    text = (shop / file).read_text()
    assert before in text
    (shop / file).write_text(text.replace(before, after))
    command = [MESH, "test", "--chart", shop, "--release", "shop", "-n", "shop"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout + done.stderr
    assert f"FAILED  {case} " in done.stdout
