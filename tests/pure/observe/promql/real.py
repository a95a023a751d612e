"""A real Prometheus that holds a history, where there is one on this machine: on PATH, or where scripts/prometheus puts it."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import struct
import subprocess
import tempfile
import urllib.parse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from tests.pure.observe.promql.history import Series, samples

FOLDER: Final = Path.home() / ".cache" / "meshwright" / "prometheus" / "usr" / "bin"
_LISTENING: Final = re.compile(r'msg="Listening on" address=127\.0\.0\.1:(\d+)')


def binary(name: str) -> str | None:
    """Of "prometheus" or "promtool"."""
    return shutil.which(name) or shutil.which(name, path=str(FOLDER))


class Real:
    """Its HTTP API, as (status, answer)."""

    def __init__(self, port: int) -> None:
        self._port = port

    def ask(self, path: str, **parameters: str) -> tuple[int, Any]:
        form = urllib.parse.urlencode(parameters).encode()
        status, body = self._post(path, form, {"Content-Type": "application/x-www-form-urlencoded"})
        return status, json.loads(body)

    def write(self, history: Iterable[Series]) -> None:
        told = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf"}
        status, body = self._post("/api/v1/write", _snappy(_request(history)), told)
        assert status < 300, body

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def prometheus(history: Iterable[Series]) -> Iterator[Real]:
    """Runs while the context lasts."""
    program = binary("prometheus")
    assert program
    with tempfile.TemporaryDirectory() as folder:
        configuration = Path(folder) / "prometheus.yml"
        configuration.write_text("global: {scrape_interval: 5s, evaluation_interval: 5s}\n")
        flags = [
            f"--config.file={configuration}",
            f"--storage.tsdb.path={folder}/data",
            "--web.listen-address=127.0.0.1:0",
            "--web.enable-remote-write-receiver",
        ]
        running = subprocess.Popen([program, *flags], stderr=subprocess.PIPE, text=True)
        assert running.stderr
        try:
            real = Real(_port(running.stderr))
            real.write(history)
            yield real
        finally:
            running.kill()
            running.communicate()


def _port(lines: Iterable[str]) -> int:
    """Once it is ready, which it may say before it says where it listens."""
    port, ready = 0, False
    for line in lines:
        if found := _LISTENING.search(line):
            port = int(found[1])
        ready = ready or "Server is ready" in line
        if port and ready:
            return port
    raise AssertionError("Prometheus did not start")


def _request(history: Iterable[Series]) -> bytes:
    """https://prometheus.io/docs/specs/prw/remote_write_spec/: 1 time series, of 1 labels and 2 samples."""
    return b"".join(_part(1, _series(each)) for each in history)


def _series(series: Series) -> bytes:
    labels = [
        _part(1, name.encode()) + _part(2, value.encode()) for name, value in sorted(series.labels.items())
    ]
    points = [b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(at) for at, value in samples(series)]
    return b"".join([_part(1, each) for each in labels] + [_part(2, each) for each in points])


def _part(number: int, content: bytes) -> bytes:
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _snappy(content: bytes) -> bytes:
    """Of literals only: https://github.com/google/snappy/blob/main/format_description.txt."""
    pieces = [content[at : at + 65_536] for at in range(0, len(content), 65_536)]
    return _varint(len(content)) + b"".join(
        b"\xf4" + struct.pack("<H", len(each) - 1) + each for each in pieces
    )
