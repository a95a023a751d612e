"""Starts the service: `python -m services.catalog`."""

from services.kit.main import main

main("services.catalog")
