"""What the command for dead letters says to arguments that make no sense."""

import pytest

from services.kit.events.deadletters import main


@pytest.mark.parametrize("arguments", [(), ("list", "all"), ("replay",), ("delete", "all")])
def test_a_command_that_makes_no_sense_is_told_what_would(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments, {"DATABASE_URL": "sqlite+aiosqlite:///unused.db"}) == 2
    assert "deadletters replay EVENT_ID" in capsys.readouterr().err


def test_a_command_without_a_database_is_told_which(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"], {}) == 2
    assert "DATABASE_URL" in capsys.readouterr().err
