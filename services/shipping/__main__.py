"""Starts the service: `python -m services.shipping`."""

from services.kit.main import main

main("services.shipping")
