"""Stock and reservations."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "stock",
        sa.Column("product_id", sa.String(64), primary_key=True),
        sa.Column("on_hand", sa.BigInteger, sa.CheckConstraint("on_hand >= reserved"), nullable=False),
        sa.Column("reserved", sa.BigInteger, sa.CheckConstraint("reserved >= 0"), nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("expire_time", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("reservations_due", "reservations", ["state", "expire_time"])
    op.create_table(
        "reservation_lines",
        sa.Column("reservation_id", sa.String(100), sa.ForeignKey("reservations.id"), primary_key=True),
        sa.Column("product_id", sa.String(64), primary_key=True),
        sa.Column("quantity", sa.Integer, nullable=False),
    )
