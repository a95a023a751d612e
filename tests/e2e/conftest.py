"""The release that `make e2e` has installed."""

from tests.scenarios.conftest import engine, running

__all__ = ["engine", "running"]
