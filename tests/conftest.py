"""For all tests: machines are shared and noisy, so no test fails for being slow."""

from hypothesis import HealthCheck, settings

settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("mesh")
