"""A control plane that is killed comes back where it was, for clients that still hold its kubeconfig and versions."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

from tests.pure.local.api.manifests import virtual_service
from tests.pure.local.api.running import Running
from tests.pure.local.api.test_http import call

KINDS = ("networking.istio.io", "v1", "default", "virtualservices")
PROGRAM = """
import asyncio, sys
from pathlib import Path
from mesh.local.api import serve
from mesh.local.store import Store

async def main(directory: Path) -> None:
    async with Store(directory / "state") as store, serve(store, directory) as address:
        print(address, flush=True)
        await asyncio.Event().wait()

asyncio.run(main(Path(sys.argv[1])))
"""


@contextmanager
def control_plane(directory: Path) -> Iterator[client.CustomObjectsApi]:
    """A process that serves the directory's state, until it is killed."""
    command = [sys.executable, "-c", PROGRAM, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            assert process.stdout.readline().startswith("https://127.0.0.1:")
            with config.new_client_from_config(str(directory / "kubeconfig")) as connected:
                yield client.CustomObjectsApi(connected)
        finally:
            process.send_signal(signal.SIGKILL)


def test_clients_go_on_where_they_were(tmp_path: Path) -> None:
    with control_plane(tmp_path) as api:
        made: Any = api.create_namespaced_custom_object(*KINDS, virtual_service())
        patch = {"spec": {"http": [{"route": [{"destination": {"host": "catalog"}, "weight": 100}]}]}}
        edited: Any = api.patch_namespaced_custom_object(*KINDS, "catalog", patch)
        version = edited["metadata"]["resourceVersion"]
        before = (tmp_path / "kubeconfig").read_text()
    with control_plane(tmp_path) as api:
        assert (tmp_path / "kubeconfig").read_text() == before
        assert api.get_namespaced_custom_object(*KINDS, "catalog") == edited
        with pytest.raises(ApiException, match="has been modified"):
            api.replace_namespaced_custom_object(*KINDS, "catalog", made)
        api.patch_namespaced_custom_object(*KINDS, "catalog", {"metadata": {"labels": {"after": "kill"}}})
        events = watch.Watch().stream(api.list_namespaced_custom_object, *KINDS, resource_version=version)
        event = next(events)
        assert (event["type"], event["object"]["metadata"]["labels"]) == ("MODIFIED", {"after": "kill"})


def test_a_full_disk_is_said_to_be_one_and_loses_nothing(api: Running) -> None:
    path = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices"
    assert call(api, "POST", path, virtual_service())[0] == 201
    database = api.store._state._journal._db
    pages = database.execute("PRAGMA page_count").fetchone()[0]
    database.execute(f"PRAGMA max_page_count = {pages + 1}")
    try:
        large = {"metadata": {"annotations": {"large": "x" * 200_000}}}
        status, _, told = call(
            api, "PATCH", f"{path}/catalog", large, content_type="application/merge-patch+json"
        )
        assert (status, told["reason"]) == (507, "InternalError")
        assert "database or disk is full; make room" in told["message"]
        assert "annotations" not in call(api, "GET", f"{path}/catalog")[2]["metadata"]
    finally:
        database.execute("PRAGMA max_page_count = 1000000")
    assert call(api, "PATCH", f"{path}/catalog", large, content_type="application/merge-patch+json")[0] == 200
