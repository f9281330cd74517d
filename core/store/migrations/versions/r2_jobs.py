"""Runs become jobs of any kind: digests, groups, leases, notes; commands and artefacts."""

import sqlalchemy as sa
from alembic import op

revision = "2"
down_revision = "1"


def upgrade() -> None:
    for column in (
        sa.Column("kind", sa.String(64), nullable=False, server_default="train"),
        sa.Column("digest", sa.String(64)),
        sa.Column("inputs", sa.Text, nullable=False, server_default="{}"),
        sa.Column("parents", sa.Text, nullable=False, server_default="[]"),
        sa.Column("group_id", sa.String(64)),
        sa.Column("visitor", sa.String(64), nullable=False, server_default=""),
        sa.Column("note", sa.Text, nullable=False, server_default=""),
        sa.Column("tags", sa.Text, nullable=False, server_default="[]"),
        sa.Column("starred", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("deleted_at", sa.Double),
        sa.Column("lease_until", sa.Double),
    ):
        op.add_column("runs", column)
    op.create_index("ix_runs_digest", "runs", ["digest"])
    op.create_index("ix_runs_group_id", "runs", ["group_id"])
    op.create_index("ix_runs_state_created_at", "runs", ["state", "created_at"])
    op.create_table(
        "commands",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id"), nullable=False),
        sa.Column("command", sa.Text, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("taken_at", sa.Double),
    )
    op.create_index("ix_commands_run_id", "commands", ["run_id"])
    op.create_table(
        "artefacts",
        sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id"), primary_key=True),
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(128), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.Double, nullable=False),
    )
    op.create_index("ix_artefacts_digest", "artefacts", ["digest"])
