"""For all tests: machines are shared and noisy, so no test fails for being slow."""

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their number: compressed ones hold the time, and workers must agree on the ids of tests."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests of one mesh run on one worker: xdist says so in their ids, if it knows this pytest."""
    if getattr(session.config.option, "loadgroup", False):
        grouped = (item for item in session.items if item.get_closest_marker("xdist_group"))
        if lost := [item.nodeid for item in grouped if "@" not in item.nodeid]:
            raise pytest.UsageError(f"xdist does not group {lost[0]}: does this version of pytest fit it?")
