"""Retries: what a VirtualService says, else Istio's default, which also repeats calls that are not idempotent.

Source: pilot/pkg/networking/core/route/retry.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from envoy.config.route.v3.route_components_pb2 import RetryPolicy
from envoy.extensions.retry.host.previous_hosts.v3.previous_hosts_pb2 import PreviousHostsPredicate
from envoy.extensions.retry.priority.previous_priorities.v3.previous_priorities_config_pb2 import (
    PreviousPrioritiesConfig,
)

from mesh.envoy.typed import extension
from mesh.resources.istio.virtualservice import HTTPRetry

_DEFAULT_ON: Final = "connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes"
_BY_STATUS: Final = "retriable-status-codes"
_CODES: Final = frozenset(str(int(status)) for status in HTTPStatus)
_DEFAULT: Final = HTTPRetry(attempts=2)
#: How many endpoints are asked before one that has already failed is taken again.
_OTHER_HOSTS: Final = 5


def retry_policy(given: HTTPRetry | None, hashed: bool) -> RetryPolicy | None:
    """None when retries are switched off. A request that is balanced by hash goes back to the same endpoint.

    ``given`` is the route's, else the mesh's own default.
    """
    said = given or _DEFAULT
    if said.attempts <= 0:
        return None
    on, codes = _conditions(said.retry_on)
    policy = RetryPolicy(
        num_retries={"value": said.attempts},
        retry_on=on,
        retriable_status_codes=codes,
        host_selection_retry_max_attempts=_OTHER_HOSTS,
        per_try_timeout=said.per_try_timeout,
    )
    if said.backoff is not None:
        policy.retry_back_off.base_interval.FromTimedelta(said.backoff)
    ignore_previous = said.retry_ignore_previous_hosts
    if ignore_previous if ignore_previous is not None else not hashed:
        predicate = extension("envoy.retry_host_predicates.previous_hosts", PreviousHostsPredicate())
        policy.retry_host_predicate.add(**predicate)
    if said.retry_remote_localities:
        name = "envoy.retry_priorities.previous_priorities"
        policy.retry_priority.CopyFrom(
            RetryPolicy.RetryPriority(**extension(name, PreviousPrioritiesConfig(update_frequency=2)))
        )
    return policy


def _conditions(retry_on: str) -> tuple[str, list[int]]:
    """Envoy's conditions, and the HTTP status codes that Istio lets stand among them."""
    if not retry_on:
        return _DEFAULT_ON, []
    parts = [part.strip() for part in retry_on.split(",") if part.strip()]
    codes = [int(part) for part in parts if part in _CODES]
    named = [part for part in parts if part not in _CODES]
    if codes and not any(_BY_STATUS in part for part in named):
        # Go joins an empty list to "", so that only codes give ",retriable-status-codes".
        return f"{','.join(named)},{_BY_STATUS}", codes
    return ",".join(named), codes
