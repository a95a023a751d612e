"""Starts the service: `python -m services.orders`."""

from services.kit.main import main

main("services.orders")
