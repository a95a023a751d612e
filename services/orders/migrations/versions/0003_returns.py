"""Returns of orders. Only adds, so that the version before works on."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("orders", sa.Column("return_id", sa.String(64), nullable=False, server_default=""))
    op.create_table(
        "returns",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False, unique=True),
        sa.Column("order_id", sa.String(64), nullable=False),
        sa.Column("failure", sa.String(60), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("failed_step", sa.String(20), nullable=False),
        sa.Column("create_time", sa.DateTime(timezone=True), nullable=False),
    )
