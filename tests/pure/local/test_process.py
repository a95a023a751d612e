"""Processes are found again by who they are, stopped with all that they started, and their end is told."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mesh.local import process
from mesh.local.process import Process

SLEEP = "import time; time.sleep(60)"
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"
PARENT = f"import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); print(c.pid, flush=True); c.wait()"


class Started:
    """Starts Python programs whose log and record are in one directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.all: list[Process] = []

    @property
    def log(self) -> Path:
        return self.directory / "logs" / "x.log"

    def __call__(self, program: str) -> Process:
        record = self.directory / "run" / "x.pid"
        command = [sys.executable, "-c", program]
        self.all.append(process.start(command, os.environ, self.directory, self.log, record))
        return self.all[-1]

    async def wrote(self) -> str:
        async with asyncio.timeout(10):
            while not self.log.read_text().endswith("\n"):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.01)
        return self.log.read_text().strip()


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Started]:
    started = Started(tmp_path)
    yield started
    for each in started.all:
        each.send(signal.SIGKILL)
        process.reap(each.pid)


def test_without_a_record_there_is_nothing(tmp_path: Path) -> None:
    assert process.find(tmp_path / "x.pid") is None


@pytest.mark.parametrize("text", ["{}", ""])
async def test_one_that_nobody_got_to_remember_is_found_all_the_same(start: Started, text: str) -> None:
    """Its parent was killed after it had started it; what it started itself is not taken for it."""
    running = start(PARENT)
    await start.wrote()
    running.record.write_text(text)
    assert process.find(running.record) == running


async def test_it_is_found_by_its_record_while_it_runs(start: Started) -> None:
    running = start(SLEEP)
    assert process.find(running.record) == running
    await running.stop(5)
    assert not running.alive
    assert not running.record.exists()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"pid": "x", "began": "1"}', '{"pid": 999999999, "began": "1"}'],
)
def test_a_record_that_says_nothing_finds_nothing(tmp_path: Path, text: str) -> None:
    record = tmp_path / "x.pid"
    record.write_text(text)
    assert process.find(record) is None


def test_a_number_that_was_given_to_another_process_is_not_ours(tmp_path: Path) -> None:
    record = tmp_path / "x.pid"
    record.write_text(json.dumps({"pid": os.getpid(), "began": "1"}))
    assert process.find(record) is None
    assert not Process(os.getpid(), "", record).alive


@pytest.mark.parametrize(("program", "code"), [("import sys; sys.exit(3)", 3), ("pass", 0)])
async def test_the_exit_code_of_a_child_is_told(start: Started, program: str, code: int) -> None:
    async with asyncio.timeout(10):
        assert await start(program).wait() == code


async def test_a_signal_is_told_as_a_negative_code(start: Started) -> None:
    running = start(SLEEP)
    os.kill(running.pid, signal.SIGKILL)
    async with asyncio.timeout(10):
        assert await running.wait() == -signal.SIGKILL


async def test_one_that_does_not_listen_is_killed_after_its_grace(start: Started) -> None:
    running = start(DEAF)
    await start.wrote()
    async with asyncio.timeout(10):
        await running.stop(0.2)
    assert not running.alive


async def test_what_it_started_goes_with_it(start: Started) -> None:
    running = start(PARENT)
    child = int(await start.wrote())
    assert process.began(child)
    await running.stop(5)
    async with asyncio.timeout(10):
        while process.began(child):  # noqa: ASYNC110 - nobody's child here
            await asyncio.sleep(0.01)


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        process.start(["/no/such"], {}, tmp_path, tmp_path / "x.log", tmp_path / "x.pid")
    assert not (tmp_path / "x.pid").exists()


async def test_output_is_appended(start: Started) -> None:
    for line in ("one", "two"):
        await start(f"print({line!r})").wait()
    assert start.log.read_text() == "one\ntwo\n"


def test_signals_to_one_that_is_gone_are_no_error(tmp_path: Path) -> None:
    Process(999_999_999, "1", tmp_path / "x.pid").send(signal.SIGTERM)
