"""Starts the service: `python -m services.payments`."""

from services.kit.main import main

main("services.payments")
