"""Runs are found by words, parts of their spec and figures: columns that follow from what a row has."""

import sqlalchemy as sa
from alembic import op

revision = "6"
down_revision = "5"


def upgrade() -> None:
    for column in (
        sa.Column("words", sa.Text),
        sa.Column("arch", sa.String(64)),
        sa.Column("data", sa.String(64)),
        sa.Column("regularisers", sa.Text),
        sa.Column("accuracy", sa.Double),
        sa.Column("zeros", sa.Double),
        sa.Column("epoch_seconds", sa.Double),
    ):
        op.add_column("runs", column)
    op.create_index("ix_runs_visitor_created_at", "runs", ["visitor", "created_at"])
