"""What mesh.yaml says to build before it runs: when it is due, what it leaves, and what is said when it fails."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from mesh.local.build import BuildFailed, build, due
from mesh.local.config import Config, Image, Settings, Step

COPY = "import shutil, sys; print('copying'); shutil.copy('a.txt', sys.argv[1])"


def step(code: str = COPY, makes: str = "out/a") -> Step:
    return Step(run=("python", "-c", code, makes), makes=makes, sources=("a.txt", "more"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("out", "more"):
        (tmp_path / name).mkdir()
    (tmp_path / "a.txt").write_text("a")
    return tmp_path


async def built(folder: Path, *steps: Step) -> list[str]:
    """What was said to be built."""
    said: list[str] = []

    async def say(text: str) -> None:
        said.append(text)

    image = Image(run=("out/a",), build=steps)
    config = Config(folder, Settings(images={"small/a": image}))
    await build("small/a", image, config, folder / "logs" / "a.log", say)
    return said


async def test_a_step_runs_when_what_it_makes_is_missing_and_not_again(folder: Path) -> None:
    (said,) = await built(folder, step())
    assert said.startswith("building small/a: python -c ")
    assert (folder / "out" / "a").read_text() == "a"
    assert (folder / "logs" / "a.log").read_text().endswith("\ncopying\n")
    assert await built(folder, step()) == []


@pytest.mark.parametrize("changed", ["a.txt", "more/new"])
async def test_it_runs_again_when_a_source_is_newer(folder: Path, changed: str) -> None:
    await built(folder, step())
    made = (folder / "out" / "a").stat().st_mtime
    (folder / changed).write_text("b")
    os.utime(folder / changed, (made + 5, made + 5))
    assert due(step(), folder)
    assert len(await built(folder, step())) == 1


async def test_of_several_steps_those_run_that_are_due(folder: Path) -> None:
    steps = step(), step(makes="out/b")
    assert len(await built(folder, *steps)) == 2
    (folder / "out" / "b").unlink()
    assert len(await built(folder, *steps)) == 1


@pytest.mark.parametrize(
    ("code", "parts"),
    [
        ("print('no room'); raise SystemExit(3)", ["ended with 3", "    no room"]),
        ("pass", ["did not make out/a"]),
    ],
)
async def test_a_step_that_fails_says_how(folder: Path, code: str, parts: list[str]) -> None:
    with pytest.raises(BuildFailed) as failed:
        await built(folder, step(code), step(makes="out/b"))
    for part in parts:
        assert part in str(failed.value)
    assert not (folder / "out" / "b").exists()


async def test_a_program_that_is_not_there_is_said(folder: Path) -> None:
    missing = Step(run=("no-such-program",), makes="out/a", sources=("a.txt",))
    with pytest.raises(BuildFailed, match="`no-such-program` cannot be started"):
        await built(folder, missing)


async def test_whoever_leaves_takes_the_step_along(folder: Path) -> None:
    code = "import os, time; open('out/pid', 'w').write(str(os.getpid())); os.rename('out/pid', 'out/p'); time.sleep(600)"
    building = asyncio.create_task(built(folder, step(code)))
    async with asyncio.timeout(30):
        while not (folder / "out" / "p").exists():  # noqa: ASYNC110 - another process makes it
            await asyncio.sleep(0.01)
    building.cancel()
    with pytest.raises(asyncio.CancelledError):
        await building
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "out" / "p").read_text()), 0)


async def test_one_at_a_time_builds_in_a_folder(folder: Path) -> None:
    said = await asyncio.gather(*(built(folder, step()) for _ in range(3)))
    assert sorted(map(len, said)) == [0, 0, 1]
