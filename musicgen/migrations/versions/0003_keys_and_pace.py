"""Which request a job answers, so that a retry finds it; and how fast the job went."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("generation_job", sa.Column("idempotency_key", sa.String(255), nullable=True))
    op.add_column("generation_job", sa.Column("request_sha256", sa.String(64), nullable=True))
    op.add_column("generation_job", sa.Column("pace", sa.JSON(none_as_null=True), nullable=True))
    op.create_index("ix_generation_job_idempotency_key", "generation_job", ["idempotency_key"], unique=True)


def downgrade() -> None:
    op.drop_index("ix_generation_job_idempotency_key", "generation_job")
    op.drop_column("generation_job", "pace")
    op.drop_column("generation_job", "request_sha256")
    op.drop_column("generation_job", "idempotency_key")
