"""Logs as one JSON object a line on standard output, each with the trace and correlation id of its call.

Input: structlog's calls here, and the standard library's logging from everything else. Output: lines such as
{"event": "call refused", "code": "NOT_FOUND", "trace_id": "...", "correlation_id": "...", "level": "info", ...}.
"""

import logging
import sys

import structlog
from structlog.tracebacks import ExceptionDictTransformer
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

from services.kit.call import CURRENT
from services.kit.settings import Settings

_STACK = structlog.processors.ExceptionRenderer(ExceptionDictTransformer(show_locals=False))
"""Without the values of variables, which may be passwords or belong to customers."""


def configure(settings: Settings) -> FilteringBoundLogger:
    """Sets up both kinds of logging for the process; returns the service's logger."""
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        _call,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _STACK,
    ]
    render = structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[*shared, render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    _standard_library(level, shared, render)
    log: FilteringBoundLogger = structlog.get_logger()
    return log.bind(service=settings.service, pod=settings.pod, version=settings.version)


def _standard_library(level: int, shared: list[Processor], render: Processor) -> None:
    only_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[only_meta, render])
    )
    logging.basicConfig(level=max(level, logging.WARNING), handlers=[handler], force=True)


def _call(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    if call := CURRENT.get():
        event["trace_id"] = call.span.trace_id
        event["span_id"] = call.span.span_id
        event["correlation_id"] = call.correlation_id
    return event
