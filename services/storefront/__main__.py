"""Starts the service: `python -m services.storefront`."""

from services.kit.main import main

main("services.storefront")
