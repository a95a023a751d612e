"""What an Envoy starts with; that a real one accepts it is shown in tests/envoy/xds."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mesh.envoy.bootstrap import SOCKET_PATH_LIMIT, bootstrap, envoy_binary


def test_a_socket_path_that_cannot_be_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="use a path relative to the working directory"):
        bootstrap({"id": "a"}, socket="x" * (SOCKET_PATH_LIMIT + 1), admin_socket="admin.sock")


def test_envoy_is_found_and_can_be_run() -> None:
    assert os.access(envoy_binary(), os.X_OK)


def test_it_needs_none_of_envoys_protobufs_which_take_long_to_import() -> None:
    program = "import sys, mesh.envoy.bootstrap; print([m for m in sys.modules if m.startswith('envoy')])"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "[]\n"
