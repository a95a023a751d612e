"""Logs as the page asks for them, by trace and span: of the observatory of `mesh up`; a cluster has a place of its own for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from mesh.dash.fetch import Server, Unreachable, is_ok

Object = dict[str, Any]
_MOST: Final = 500


class Logs(Protocol):
    """What knows the lines that pods wrote."""

    def lines(self, trace: str, span: str) -> Sequence[Object]:
        """By time; of the whole trace when ``span`` is "". Raises Unreachable."""
        ...


@dataclass(frozen=True)
class HttpLogs:
    """Asked over HTTP."""

    server: Server

    def lines(self, trace: str, span: str) -> Sequence[Object]:
        asked = {"trace": trace, "limit": str(_MOST), **({"span": span} if span else {})}
        status, answer = self.server.ask(f"/api/logs?{urlencode(asked)}")
        if not is_ok(status) or not isinstance(answer, dict):
            raise Unreachable(f"{self.server.url} has no logs ({status})")
        wanted = ("time", "pod", "container", "level", "message", "spanID", "line")
        return [{key: each.get(key) for key in wanted} for each in answer.get("data") or ()]
