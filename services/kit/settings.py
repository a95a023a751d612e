"""What the environment tells a service, read once at start.

Input: environment variables, the same in a pod and on a laptop. Output: `Settings`, passed to whoever needs a part.

    PORT                          the port to serve on; 0 picks a free one (and logs it)
    HOST                          the address to bind; every address when left out
    POD_NAME, VERSION             answered as served-by and served-version
    <NAME>_ADDRESS                host:port of another service, by its name
    DATABASE_URL                  sqlite+aiosqlite:////data/catalog.db or postgresql+asyncpg://USER@HOST/NAME?password_file=PATH
    MIGRATE_TO                    the revision to bring the database to; the newest when left out
    EVENTS_URL                    the broker of events, nats://host:port or another (docs/events.md); they wait in the database when left out
    WORKERS                       processes on the one port
    DEVELOPMENT                   true: obey fault headers (services/kit/fault.py)
    OTEL_EXPORTER_OTLP_ENDPOINT   where traces and metrics go (OTLP over gRPC); nowhere when left out
    OTEL_TRACES_SAMPLER_ARG       the share of traces that start here which are kept
    LOG_LEVEL                     debug, info, warning or error
    DRAIN_SECONDS                 how long to keep accepting calls after SIGTERM
    WORKER                        set by the parent of several processes (services/kit/workers.py)
    STOP_SECONDS                  how long after that calls in flight may take

and of a service that is spoken to in HTTP:

    REQUEST_SECONDS               the longest a request may take before its answer begins
    MAX_BODY_BYTES                the largest body a request may have
    CORS_ORIGINS                  origins whose pages may call it, separated by spaces; none when left out
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass


class BadSetting(Exception):
    """An environment variable that makes no sense; the text says which, and what would."""


@dataclass(frozen=True)
class Settings:
    """`service` is the short name, also the one of its fault header. Times in seconds."""

    service: str
    host: str
    port: int
    pod: str
    version: str
    database_url: str
    migrate_to: str
    events_url: str
    workers: int
    development: bool
    otlp_endpoint: str
    sampled: float
    log_level: str
    drain: float
    stop: float
    shares_port: bool
    addresses: Mapping[str, str]
    request: float
    max_body: int
    cors_origins: tuple[str, ...]


def from_environment(service: str, env: Mapping[str, str] = os.environ) -> Settings:
    """Raises BadSetting."""
    return Settings(
        service=service,
        host=env.get("HOST", "[::]"),
        port=_integer(env, "PORT", 50051, 0),
        pod=env.get("POD_NAME", service),
        version=env.get("VERSION", "v1"),
        database_url=env.get("DATABASE_URL", f"sqlite+aiosqlite:///{service}.db"),
        migrate_to=env.get("MIGRATE_TO", "") or "head",
        events_url=env.get("EVENTS_URL", ""),
        workers=_integer(env, "WORKERS", 1, 1),
        development=env.get("DEVELOPMENT", "").lower() == "true",
        otlp_endpoint=env.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        sampled=_number(env, "OTEL_TRACES_SAMPLER_ARG", 1.0),
        log_level=_level(env),
        drain=_number(env, "DRAIN_SECONDS", 2.0),
        stop=_number(env, "STOP_SECONDS", 10.0),
        shares_port="WORKER" in env,
        addresses={
            name.removesuffix("_ADDRESS").lower(): value
            for name, value in env.items()
            if name.endswith("_ADDRESS")
        },
        request=_number(env, "REQUEST_SECONDS", 6.0),
        max_body=_integer(env, "MAX_BODY_BYTES", 65536, 1),
        cors_origins=tuple(env.get("CORS_ORIGINS", "").split()),
    )


def _integer(env: Mapping[str, str], name: str, otherwise: int, least: int) -> int:
    text = env.get(name) or str(otherwise)
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise BadSetting(f"{name} is {text!r}: set it to a whole number, {least} or more")
    return int(text)


def _number(env: Mapping[str, str], name: str, otherwise: float) -> float:
    text = env.get(name) or str(otherwise)
    try:
        number = float(text)
    except ValueError:
        raise BadSetting(f"{name} is {text!r}: set it to a number, such as {otherwise:g}") from None
    if not 0 <= number < float("inf"):
        raise BadSetting(f"{name} is {text!r}: set it to a number that is not negative")
    return number


def _level(env: Mapping[str, str]) -> str:
    level = env.get("LOG_LEVEL", "info").lower()
    if level not in ("debug", "info", "warning", "error"):
        raise BadSetting(f"LOG_LEVEL is {level!r}: set it to debug, info, warning or error")
    return level
