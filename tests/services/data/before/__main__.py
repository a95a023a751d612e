"""Starts it: `python -m tests.services.data.before`."""

from services.kit.main import main

main("tests.services.data.before")
