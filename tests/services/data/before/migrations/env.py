"""Where Alembic starts; everything is in services/kit/migration.py."""

from services.kit.migration import run

run()
