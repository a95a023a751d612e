"""What the charts say of calls, with the lines on which they say it.

Input: the folder of the umbrella chart. Output: a `Chart` for each chart in it that has `calls`, by its name.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROLES = "meshwright.dev/callers"
USUAL = ("service",)


@dataclass(frozen=True)
class Call:
    """`to` is a chart's name, `methods` have their places, file:line."""

    to: str
    service: str
    place: str
    methods: tuple[tuple[str, str], ...]

    def names(self) -> set[str]:
        return {name for name, _ in self.methods}


@dataclass(frozen=True)
class Chart:
    """`roles` it calls in; `installed`: unless its values are changed; `gateway`: callers outside come through it. `attempts`: how often
    in all its idempotent methods are tried."""

    name: str
    roles: tuple[str, ...]
    calls: tuple[Call, ...]
    installed: bool
    gateway: bool
    versions: tuple[str, ...]
    attempts: int
    events: bool

    def call(self, to: str) -> Call | None:
        return next((call for call in self.calls if call.to == to), None)

    @property
    def workloads(self) -> tuple[str, ...]:
        """As `mesh test` names them: one for each version."""
        several = len(self.versions) > 1
        return tuple(f"{self.name}-{version}" for version in self.versions) if several else (self.name,)


def read(umbrella: Path) -> dict[str, Chart]:
    """In the order of their names."""
    above = yaml.safe_load((umbrella / "values.yaml").read_text())
    wanted = yaml.safe_load((umbrella / "Chart.yaml").read_text())["dependencies"]
    conditions = {each["name"]: "condition" in each for each in wanted}
    found = {}
    for path in sorted(umbrella.glob("charts/*/values.yaml")):
        name = path.parent.name
        values = yaml.safe_load(path.read_text()) or {}
        if "calls" not in values:
            continue
        enabled = above.get(name, {}).get("enabled", values.get("enabled", True))
        found[name] = _chart(path, values, installed=enabled or not conditions[name])
    return found


def _chart(path: Path, values: dict[str, Any], installed: bool) -> Chart:
    about = yaml.safe_load((path.parent / "Chart.yaml").read_text())
    roles = about.get("annotations", {}).get(ROLES, "")
    retries = values.get("traffic", {}).get("retries", {})
    return Chart(
        name=path.parent.name,
        roles=tuple(each.strip() for each in roles.split(",")) if roles else USUAL,
        calls=tuple(_calls(path)),
        installed=installed,
        gateway=(path.parent / "templates" / "gateway.yaml").exists(),
        versions=tuple(values.get("versions", {})),
        attempts=1 + int(retries.get("attempts", 0)),
        events=bool(values.get("events")),
    )


def _calls(path: Path) -> Iterator[Call]:
    """Of gRPC; `paths` of an HTTP service have no contract here."""
    shown = path.relative_to(path.parents[4])
    document: Any = yaml.compose(path.read_text())
    calls = next(value for key, value in document.value if key.value == "calls")
    for each in calls.value:
        said = {key.value: value for key, value in each.value}
        if "methods" in said:
            methods = tuple(
                (one.value, f"{shown}:{one.start_mark.line + 1}") for one in said["methods"].value
            )
            place = f"{shown}:{each.start_mark.line + 1}"
            yield Call(said["to"].value, said["service"].value, place, methods)
