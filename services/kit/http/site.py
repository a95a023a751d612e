"""What a service of HTTP is to the kit: the sibling of app's `Service`."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from starlette.types import ASGIApp

from services.kit.app import App


@dataclass(frozen=True)
class Site:
    """`package` has the migrations; `domain` is that of the reasons of its own errors; `open` yields what answers requests, and
    closes it after the last."""

    package: str
    domain: str
    open: Callable[[App], AbstractAsyncContextManager[ASGIApp]]
