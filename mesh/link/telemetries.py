"""Telemetries: what istiod refuses of what they are for, and those that are for nobody.

Source: istio validation.go, ValidateTelemetry.
"""

from __future__ import annotations

from collections.abc import Iterator

from mesh.link import selectors, targetrefs
from mesh.link.names import Names
from mesh.link.spot import spec
from mesh.resources.istio.telemetry import TelemetrySpec
from mesh.resources.object import Object
from mesh.resources.problem import Problem


def invalid(each: Object[TelemetrySpec]) -> Iterator[Problem]:
    """What istiod refuses."""
    yield from selectors.invalid(spec(each) / "selector", each.spec.selector, "matchLabels")
    yield from targetrefs.invalid(spec(each), each.spec)


def misdirected(each: Object[TelemetrySpec], names: Names) -> Iterator[Problem]:
    """A selector that finds nothing, targets that nothing is."""
    yield from selectors.idle(spec(each) / "selector", each.spec.selector, names)
    yield from targetrefs.idle(spec(each), each.spec, names)
