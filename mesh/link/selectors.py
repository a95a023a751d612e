"""Workload selectors: well formed, and whether they find anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mesh.link.names import Names
from mesh.link.spot import Spot
from mesh.resources.istio.shared import WorkloadSelector
from mesh.resources.problem import Problem


def invalid(at: Spot, selector: WorkloadSelector | None, field: str) -> Iterator[Problem]:
    """What istiod refuses. ``field`` is the API's own: ``labels`` in networking, ``matchLabels`` in security."""
    if selector is None:
        return
    other = selector.match_labels if field == "labels" else selector.labels
    if other:
        wrong = "matchLabels" if field == "labels" else "labels"
        yield (at / wrong).problem("MW0101", f"{at} has no field {wrong!r}", f"did you mean {field}?")
    for key, value in labels(selector).items():
        if not key or "*" in key or "*" in value:
            text = f"{key}={value}: a selector has no wildcards"
            yield (at / field / key).problem("MW0311", text, "name the labels in full")


def idle(at: Spot, selector: WorkloadSelector | None, names: Names) -> Iterator[Problem]:
    """A selector that finds no workload, or, since it names no label, all of them."""
    if selector is not None and not labels(selector):
        text = f"this selector names no label, so that it selects every workload of {at.namespace}"
        yield at.problem("MW0211", text, "name the labels, or remove it to say so")
    wanted = labels(selector) if selector else {}
    if wanted and not names.selects(at.namespace, wanted):
        listed = ", ".join(f"{key}={value}" for key, value in wanted.items())
        text = f"no workload in {at.namespace} has the labels {listed}"
        yield at.problem("MW0206", text, "the object has no effect until one has")


def labels(selector: WorkloadSelector) -> Mapping[str, str]:
    return {**selector.match_labels, **selector.labels}
