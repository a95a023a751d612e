"""Which Telemetry resources hold for a workload: the mesh's, then its namespace's, then those that select it.

Source: pilot/pkg/model/telemetry.go. Output: which providers log on a side of the proxy, and what each side says of tracing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from typing import TypeVar

from mesh.compile.attached import attached
from mesh.model.mesh import Config, Mesh
from mesh.model.service import Workload
from mesh.resources.istio.meshconfig import MeshConfig
from mesh.resources.istio.providers import Provider
from mesh.resources.istio.telemetry import (
    AccessLogging,
    CustomTag,
    LogFilter,
    ModeSelector,
    ProviderRef,
    TelemetrySpec,
    Tracing,
    WorkloadMode,
)

ValueT = TypeVar("ValueT")


class Direction(Enum):
    INBOUND = auto()
    OUTBOUND = auto()
    GATEWAY = auto()


@dataclass(frozen=True)
class Log:
    """A provider that writes a line a request, if the filter lets it; or, ``disabled``, that does not."""

    provider: Provider
    disabled: bool = False
    filter: LogFilter | None = None


@dataclass(frozen=True)
class Spans:
    """What a side says of tracing; without a provider nothing is traced."""

    provider: Provider | None = None
    disabled: bool = False
    sampling: float | None = None
    tags: tuple[tuple[str, CustomTag], ...] = ()
    by_request_id: bool = True
    istio_tags: bool = True
    propagates: bool = True


@dataclass(frozen=True, eq=False)
class Telemetry:
    """The specs that hold for one workload, the most general first."""

    specs: tuple[TelemetrySpec, ...] = ()
    config: MeshConfig = field(default_factory=MeshConfig)

    def logs(self, direction: Direction) -> list[Log]:
        """By the providers' names."""
        said = [spec.access_logging for spec in self.specs if spec.access_logging]
        found = _logs(said, self.config.default_providers.access_logging, _mode(direction))
        known = [(self.config.provider(name), said) for name, said in found.items()]
        logs = [Log(provider, *said) for provider, said in known if provider]
        return sorted(logs, key=lambda log: log.provider.name)

    def spans(self, direction: Direction) -> Spans | None:
        """None when nothing is said."""
        said = [each for spec in self.specs for each in spec.tracing]
        default = self.config.default_providers.tracing
        if not said and not default:
            return None
        spans = Spans(provider=self.config.provider(default[0]) if default else None)
        for each in said:
            if _matches(each.match, _mode(direction)):
                spans = self._merged(spans, each)
        return spans

    def _merged(self, spans: Spans, given: Tracing) -> Spans:
        provider = self.config.provider(given.providers[0].name) if given.providers else spans.provider
        return replace(
            spans,
            provider=provider,
            disabled=_or(given.disable_span_reporting, spans.disabled),
            tags=tuple(given.custom_tags.items()) or spans.tags,
            sampling=_or(given.random_sampling_percentage, spans.sampling),
            by_request_id=_or(given.use_request_id_for_trace_sampling, spans.by_request_id),
            istio_tags=_or(given.enable_istio_tags, spans.istio_tags),
            propagates=not _or(given.disable_context_propagation, not spans.propagates),
        )


def telemetry(mesh: Mesh, workload: Workload) -> Telemetry:
    return Telemetry(tuple(each.spec for each in _applicable(mesh, workload)), mesh.config)


def _applicable(mesh: Mesh, workload: Workload) -> Iterator[Config[TelemetrySpec]]:
    for namespace in dict.fromkeys((mesh.config.root_namespace, workload.namespace)):
        wide = (t for t in mesh.telemetries if t.namespace == namespace and not _selective(t.spec))
        yield from (each for each in [next(wide, None)] if each)
    for each in mesh.telemetries:
        if each.namespace == workload.namespace and _selective(each.spec) and attached(each, workload):
            yield each


def _selective(spec: TelemetrySpec) -> bool:
    return bool(spec.selector and spec.selector.match_labels) or bool(spec.target_ref or spec.target_refs)


def _logs(
    said: Sequence[Iterable[AccessLogging]], default: tuple[str, ...], mode: WorkloadMode
) -> dict[str, tuple[bool, LogFilter | None]]:
    """By provider: whether it is switched off, and its filter (istiod's mergeLogs)."""
    if not said:
        return dict.fromkeys(default, (False, None))
    in_scope = set(default)
    filters: dict[str, LogFilter | None] = {}
    for each in said:
        named = [(entry, _names(entry.providers)) for entry in each if _matches(entry.match, mode)]
        filters |= {name: entry.filter for entry, names in named for name in names}
        in_scope = {name for _, names in named for name in names} or in_scope
    found: dict[str, tuple[bool, LogFilter | None]] = {}
    parent: Sequence[str] = default
    for each in said:
        for entry in each:
            parent = _names(entry.providers) or parent
            for name in parent if _matches(entry.match, mode) else ():
                if name in in_scope:
                    found[name] = (True, None) if entry.disabled else (False, filters.get(name))
    return found


def _names(providers: Iterable[ProviderRef]) -> list[str]:
    return [each.name for each in providers]


def _matches(selector: ModeSelector | None, mode: WorkloadMode) -> bool:
    return selector is None or selector.mode in (WorkloadMode.CLIENT_AND_SERVER, mode)


def _mode(direction: Direction) -> WorkloadMode:
    return WorkloadMode.SERVER if direction is Direction.INBOUND else WorkloadMode.CLIENT


def _or(given: ValueT | None, otherwise: ValueT) -> ValueT:
    return otherwise if given is None else given
