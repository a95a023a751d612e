"""Telemetry: tracing, metrics and access logs of a workload, a namespace or the mesh."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from mesh.resources.istio.shared import PolicyTargetReference, WorkloadSelector


class WorkloadMode(StrEnum):
    CLIENT_AND_SERVER = "CLIENT_AND_SERVER"
    CLIENT = "CLIENT"
    SERVER = "SERVER"


@dataclass(frozen=True, slots=True)
class ModeSelector:
    mode: WorkloadMode = WorkloadMode.CLIENT_AND_SERVER


@dataclass(frozen=True, slots=True)
class ProviderRef:
    name: str = ""


@dataclass(frozen=True, slots=True)
class TagValue:
    """A literal or a formatter: ``value``; an environment variable or a request header: ``name`` and ``default_value``."""

    value: str = ""
    name: str = ""
    default_value: str = ""


@dataclass(frozen=True, slots=True)
class CustomTag:
    literal: TagValue | None = None
    environment: TagValue | None = None
    header: TagValue | None = None
    formatter: TagValue | None = None


@dataclass(frozen=True, slots=True)
class Tracing:
    match: ModeSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    random_sampling_percentage: float | None = None
    disable_span_reporting: bool | None = None
    custom_tags: Mapping[str, CustomTag] = field(default_factory=dict)
    use_request_id_for_trace_sampling: bool | None = None
    enable_istio_tags: bool | None = None
    disable_context_propagation: bool | None = None


@dataclass(frozen=True, slots=True)
class MetricSelector:
    metric: str = ""
    custom_metric: str = ""
    mode: WorkloadMode = WorkloadMode.CLIENT_AND_SERVER


@dataclass(frozen=True, slots=True)
class TagOverride:
    operation: str = ""
    value: str = ""


@dataclass(frozen=True, slots=True)
class MetricsOverride:
    match: MetricSelector | None = None
    disabled: bool | None = None
    tag_overrides: Mapping[str, TagOverride] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Metrics:
    providers: tuple[ProviderRef, ...] = ()
    overrides: tuple[MetricsOverride, ...] = ()
    reporting_interval: timedelta | None = None


@dataclass(frozen=True, slots=True)
class LogFilter:
    expression: str = ""


@dataclass(frozen=True, slots=True)
class AccessLogging:
    match: ModeSelector | None = None
    providers: tuple[ProviderRef, ...] = ()
    disabled: bool | None = None
    filter: LogFilter | None = None


@dataclass(frozen=True, slots=True)
class TelemetrySpec:
    selector: WorkloadSelector | None = None
    target_ref: PolicyTargetReference | None = None
    target_refs: tuple[PolicyTargetReference, ...] = ()
    tracing: tuple[Tracing, ...] = ()
    metrics: tuple[Metrics, ...] = ()
    access_logging: tuple[AccessLogging, ...] = ()
