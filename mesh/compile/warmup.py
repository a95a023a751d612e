"""Warm-up: a new endpoint gets its share of requests little by little. Source: istiod's setWarmup and setSlowStartConfig."""

from __future__ import annotations

from envoy.config.cluster.v3.cluster_pb2 import Cluster

from mesh.resources.istio.destinationrule import LoadBalancer

_LINEAR = 1.0
_LEAST_PERCENT = 10.0
#: What istiod writes for a setting that is not meant to be changed at run time.
_RUNTIME_KEY = "("


def slow_start(given: LoadBalancer | None) -> Cluster.SlowStartConfig | None:
    if given is None:
        return None
    if given.warmup is not None:
        warmup = given.warmup
        aggression = warmup.aggression if warmup.aggression is not None else _LINEAR
        least = warmup.minimum_percent if warmup.minimum_percent is not None else _LEAST_PERCENT
        return Cluster.SlowStartConfig(
            slow_start_window=warmup.duration,
            aggression={"default_value": aggression, "runtime_key": _RUNTIME_KEY},
            min_weight_percent={"value": least},
        )
    if given.warmup_duration_secs is not None:
        return Cluster.SlowStartConfig(slow_start_window=given.warmup_duration_secs)
    return None
