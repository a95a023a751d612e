"""The `mesh` command. Each command's module is imported only when it is used, so that `mesh --help` is quick."""

from __future__ import annotations

from mesh.cli.app import main

__all__ = ["main"]
