"""Contracts what 0002 expanded: whoever adds a product says its tags. For when no version without tags runs any more."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("products") as products:  # SQLite makes the table anew
        products.alter_column("tags", existing_type=sa.Text, existing_nullable=False, server_default=None)
