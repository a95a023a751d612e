"""What keeps a saga from its end, and since when. Only adds, so that the version before works on."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("sagas", sa.Column("error", sa.Text, nullable=False, server_default=""))
    op.add_column("sagas", sa.Column("stuck", sa.Boolean, nullable=False, server_default=sa.false()))
    op.add_column("sagas", sa.Column("started", sa.DateTime(timezone=True)))
