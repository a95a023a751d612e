"""Tags, for version v2. Only adds, so that v1 works with the database before and after."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("products", sa.Column("tags", sa.Text, nullable=False, server_default=""))
