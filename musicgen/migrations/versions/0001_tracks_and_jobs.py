"""Tracks and the jobs that make them."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "track",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("language", sa.String(35), nullable=True),
        sa.Column("model", sa.String(64), nullable=False),
        sa.Column("device", sa.String(16), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("requested_duration", sa.Double(), nullable=False),
        sa.Column("duration", sa.Double(), nullable=True),
        sa.Column("tempo", sa.Double(), nullable=True),
        sa.Column("key", sa.String(32), nullable=True),
        sa.Column("time_signature", sa.String(8), nullable=True),
        sa.Column("formats", sa.JSON(), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=True),
        sa.Column("sha256", sa.String(64), nullable=True),
        sa.Column("loudness_lufs", sa.Double(), nullable=True),
        sa.Column("understanding", sa.JSON(), nullable=False),
        sa.Column("notes", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_track"),
    )
    op.create_index("ix_track_created_at", "track", ["created_at"])
    op.create_table(
        "generation_job",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("track_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("engine", sa.String(64), nullable=False),
        sa.Column("device", sa.String(16), nullable=True),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("options", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("timings", sa.JSON(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("owner_host", sa.String(255), nullable=False),
        sa.Column("owner_pid", sa.Integer(), nullable=False),
        sa.Column("owner_started_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["track_id"], ["track.id"], name="fk_generation_job_track_id_track", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_generation_job"),
        sa.UniqueConstraint("track_id", name="uq_generation_job_track_id"),
    )
    op.create_index("ix_generation_job_state", "generation_job", ["state"])


def downgrade() -> None:
    op.drop_table("generation_job")
    op.drop_table("track")
