"""PostgreSQL in the cluster: who gets in, with which password, and how one is changed."""

from __future__ import annotations

import base64
import json
import secrets
import time
from collections.abc import Callable

import pytest

from tests.scenarios.cluster import kubectl

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(300)]
PATIENCE = 150.0
CONNECT = """
import asyncio, asyncpg, pathlib, sys
async def main(user, database):
    password = pathlib.Path("/etc/secrets/database/password").read_text().strip()
    try:
        connection = await asyncpg.connect(host="database", user=user, database=database, password=password, timeout=10)
        print(await connection.fetchval("SELECT current_user"))
    except (asyncpg.PostgresError, OSError, TimeoutError) as error:
        print(f"{type(error).__name__}: {error}")
asyncio.run(main(*sys.argv[1:]))
"""


def pod(app: str) -> str:
    found = kubectl(
        "get", "pods", "-l", f"app={app}", "--field-selector", "status.phase=Running", "-o", "name"
    )
    return found.split()[0]


def connected(app: str, user: str, database: str) -> str:
    """What PostgreSQL says to `user`, with the password that is mounted in a pod of `app`."""
    said = kubectl("exec", pod(app), "-c", app, "--", "python", "-c", CONNECT, user, database)
    return said.strip()


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(1)


def test_a_service_gets_into_its_own_database_and_no_other() -> None:
    assert connected("catalog", "catalog", "catalog") == "catalog"
    assert "permission denied for database" in connected("catalog", "catalog", "inventory")
    assert "password authentication failed" in connected("catalog", "inventory", "inventory")


def test_who_has_no_database_does_not_reach_the_server() -> None:
    script = "import socket; s = socket.create_connection(('database', 5432), 5); s.sendall(b'\\0\\0\\0\\x08\\x04\\xd2\\x16\\x2f'); print(s.recv(1))"
    reach = ["exec", pod("operator"), "-c", "operator", "--", "python", "-c"]
    said = kubectl(*reach, f"try:\n  exec({script!r})\nexcept OSError as error:\n  print(error)")
    assert "b'N'" not in said  # what PostgreSQL answers when it is asked for TLS that it does not have


def test_a_password_changes_with_its_secret_and_nothing_is_started_again() -> None:
    before = json.loads(kubectl("get", "pods", "-l", "app=shipping", "-o", "json"))["items"]
    password = secrets.token_hex(16)
    data = {"data": {"password": base64.b64encode(password.encode()).decode()}}
    kubectl("patch", "secret", "database-shipping", "-p", json.dumps(data))
    for app in ("database", "shipping"):  # the kubelet looks at volumes when a pod changes, else each minute
        kubectl("annotate", "--overwrite", pod(app), f"shop.example/password={password[:6]}")
    read = ["exec", pod("shipping"), "-c", "shipping", "--", "cat", "/etc/secrets/database/password"]
    until(lambda: kubectl(*read) == password)
    until(lambda: connected("shipping", "shipping", "shipping") == "shipping")
    after = json.loads(kubectl("get", "pods", "-l", "app=shipping", "-o", "json"))["items"]
    assert [each["metadata"]["uid"] for each in after] == [each["metadata"]["uid"] for each in before]
    assert {s["restartCount"] for each in after for s in each["status"]["containerStatuses"]} == {0}
