"""Starts the service: `python -m services.inventory`."""

from services.kit.main import main

main("services.inventory")
