"""What was brought back. Only adds, so that the version before works on."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "returns",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("shipment", sa.String(100), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
    )
