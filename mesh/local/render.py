"""Charts -> YAML, by Helm's own code in a short-lived child process.

Helm comes as a Go library of some 40 MiB; the child keeps it out of the control plane. Used by `up` and `check`.
`python -m mesh.local.render` is that child: a request as JSON on its standard input, the answer on its standard output.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mesh.local import yamlfile
from mesh.resources.problem import Place, Problem, Severity

TIMEOUT_SECONDS = 30
#: Helm says where: "template: shop/charts/orders/templates/x.yaml:3:5: ..." or "(shop/templates/x.yaml:3:5): ...".
_LOADING = re.compile(r"cannot load ([\w./-]+): .*?(?:line (\d+)|$)")
_PLACE = re.compile(r"([\w./-]+\.(?:ya?ml|tpl|txt|json)):(\d+)")


@dataclass(frozen=True)
class Rendered:
    """What a chart renders to, or what is wrong with it. Documents carry Helm's ``# Source:`` comments."""

    text: str = ""
    problems: tuple[Problem, ...] = ()


def render(
    chart: Path,
    release: str,
    namespace: str,
    values: Sequence[Path] = (),
    overrides: Mapping[str, Any] | None = None,
) -> Rendered:
    """Render ``chart`` as `helm template RELEASE CHART -n NAMESPACE -f VALUES...` would, hooks left out.

    Later values win over earlier ones, ``overrides`` over all. Raises nothing: Helm's refusal is a Problem.
    """
    merged: dict[str, Any] = {}
    for path in values:
        given, problems = yamlfile.mapping(path, str(path))
        if problems:
            return Rendered(problems=tuple(problems))
        merged = merge(merged, given.data if given else {})
    merged = merge(merged, dict(overrides or {}))
    request = {"chart": str(chart), "release": release, "namespace": namespace, "values": merged}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "mesh.local.render"],
            input=json.dumps(request),
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _refused(str(chart), f"Helm did not answer within {TIMEOUT_SECONDS} s")
    if done.returncode != 0:
        return _refused(
            str(chart), done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "Helm failed"
        )
    answer = json.loads(done.stdout)
    if "error" in answer:
        return _refused(str(chart), answer["error"])
    return Rendered(_joined(answer["manifests"]))


def merge(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Helm's way of laying values over values: mappings merge, everything else is replaced."""
    made = dict(under)
    for key, value in over.items():
        mine = made.get(key)
        made[key] = merge(mine, value) if isinstance(mine, Mapping) and isinstance(value, Mapping) else value
    return made


def _refused(where: str, text: str) -> Rendered:
    message = " ".join(text.split())
    place = Place(where)
    if found := _PLACE.search(message):
        place = Place(found[1], int(found[2]))
    elif found := _LOADING.search(message):
        place = Place(f"{where}/{found[1]}", int(found[2] or 0))
    return Rendered(
        problems=(Problem(place, "MW0503", Severity.ERROR, message, "mend the chart or its values"),)
    )


def _joined(manifests: Mapping[str, str]) -> str:
    """One text, in the order of the templates' names."""
    parts = []
    for name in sorted(manifests):
        text = manifests[name].strip()
        if text and not name.endswith((".txt", ".tpl")):
            body = text.removeprefix("---").strip()
            parts.append(f"---\n# Source: {name}\n{body}\n")
    return "".join(parts)


def main() -> None:
    """Render one chart, as asked on standard input."""
    from helm_python import Chart, HelmError

    request = json.load(sys.stdin)
    try:
        with Chart.load(request["chart"]) as chart:
            made = chart.render(
                values=request["values"], name=request["release"], namespace=request["namespace"]
            )
        answer: dict[str, Any] = {"manifests": made}
    except HelmError as error:
        answer = {"error": str(error)}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
