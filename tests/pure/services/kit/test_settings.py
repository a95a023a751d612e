"""The environment, right and wrong."""

import pytest

from services.kit.settings import BadSetting, from_environment


def test_an_empty_environment_is_enough() -> None:
    read = from_environment("catalog", {})
    assert (read.port, read.workers, read.version, read.development) == (50051, 1, "v1", False)
    assert read.database_url == "sqlite+aiosqlite:///catalog.db"


def test_addresses_are_known_by_the_name_of_the_service() -> None:
    assert from_environment("orders", {"CATALOG_ADDRESS": "catalog:50051"}).addresses == {
        "catalog": "catalog:50051"
    }


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("PORT", "http", "PORT is 'http': set it to a whole number, 0 or more"),
        ("WORKERS", "0", "WORKERS is '0': set it to a whole number, 1 or more"),
        ("DRAIN_SECONDS", "soon", "DRAIN_SECONDS is 'soon': set it to a number, such as 2"),
        ("STOP_SECONDS", "inf", "STOP_SECONDS is 'inf': set it to a number that is not negative"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL is 'loud': set it to debug, info, warning or error"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str, said: str) -> None:
    with pytest.raises(BadSetting) as refused:
        from_environment("catalog", {name: value})
    assert str(refused.value) == said
