"""Which version of musicgen made a track, and so which can make it again."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("track", sa.Column("version", sa.String(32), nullable=True))


def downgrade() -> None:
    op.drop_column("track", "version")
