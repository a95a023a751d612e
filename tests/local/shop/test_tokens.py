"""scripts/token: tokens that a running mesh accepts by itself, with keys that are private, rotate, and go with the mesh."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
import urllib.error
import urllib.request

from tests.local.project import Project, until
from tests.scenarios.local import ROOT


def token(folder: Project, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "scripts" / "token"), *arguments]
    done = subprocess.run(command, cwd=folder.folder, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def status(folder: Project, text: str) -> int:
    """Of a request with this token for what only staff may see."""
    address = folder.mesh("address", "storefront").text.strip()
    request = urllib.request.Request(f"http://{address}/v1/keys", headers={"authorization": f"Bearer {text}"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            found: int = answer.status
            return found
    except urllib.error.HTTPError as error:
        return error.code


def test_a_token_is_accepted_once_the_mesh_has_read_its_key_and_after_that_is_replaced(
    folder: Project,
) -> None:
    first = token(folder, "boss", "--role", "staff")
    until(lambda: status(folder, first) == 200, "the mesh knows the key")
    assert status(folder, token(folder, "ada")) == 403
    assert status(folder, token(folder, "boss", "--role", "staff", "--seconds", "-3600")) == 401
    second = token(folder, "boss", "--role", "staff", "--rotate")
    until(lambda: status(folder, second) == 200, "the mesh knows the new key")
    assert status(folder, first) == 200, "tokens of the old one are valid until they expire"

    kept = folder.folder / ".mesh" / "tokens"
    for file in kept.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file
    assert "pem" not in (kept / "values.json").read_text()
    private, public = (
        json.loads((kept / "keys.json").read_text()),
        json.loads(json.loads((kept / "values.json").read_text())["global"]["tokens"]["jwks"]),
    )
    assert [each["kid"] for each in public["keys"]] == [each["kid"] for each in private]
    assert len(private) == 2
    assert not any("d" in each for each in public["keys"])
