from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from mesh.dash.kubeconfig import CannotRead, server


def written(folder: Path, user: dict[str, Any]) -> Path:
    file = folder / "config"
    config = {
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [{"name": "here", "cluster": {"server": "https://127.0.0.1:6443"}}],
        "users": [{"name": "me", "user": user}],
    }
    file.write_text(json.dumps(config))
    return file


def test_a_token_is_sent_to_the_server_of_the_current_context(tmp_path: Path) -> None:
    found = server(written(tmp_path, {"token": "abc"}))
    assert (found.url, found.headers) == ("https://127.0.0.1:6443", {"Authorization": "Bearer abc"})


def test_a_token_may_be_in_a_file_beside_it(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-file\n")
    assert server(written(tmp_path, {"tokenFile": "token"})).headers == {"Authorization": "Bearer from-file"}


def test_a_plugin_is_asked_for_a_token(tmp_path: Path) -> None:
    told = "import json,os; assert os.environ['KUBERNETES_EXEC_INFO']; print(json.dumps({'status': {'token': os.environ['WHO']}}))"
    plugin = {"command": sys.executable, "args": ["-c", told], "env": [{"name": "WHO", "value": "plugged"}]}
    assert server(written(tmp_path, {"exec": plugin})).headers == {"Authorization": "Bearer plugged"}


def test_a_plugin_that_fails_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="/no/such, which the kubeconfig asks for a token, failed"):
        server(written(tmp_path, {"exec": {"command": "/no/such"}}))


def test_an_unknown_context_is_said_with_those_that_there_are(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="has no context 'two'; there are: one"):
        server(written(tmp_path, {}), "two")


def test_what_is_no_kubeconfig_is_said(tmp_path: Path) -> None:
    with pytest.raises(CannotRead, match="No such file"):
        server(tmp_path / "absent")
    (tmp_path / "list").write_text("- a")
    with pytest.raises(CannotRead, match="is no kubeconfig"):
        server(tmp_path / "list")
