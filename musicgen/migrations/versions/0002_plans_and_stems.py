"""What a track was planned to be, and the files of its parts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("track", sa.Column("plan", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("track", sa.Column("stems", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    op.drop_column("track", "stems")
    op.drop_column("track", "plan")
