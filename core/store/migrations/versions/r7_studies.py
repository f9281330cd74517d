"""Studies, their cells, and runs that wait after some epochs for their study."""

import sqlalchemy as sa
from alembic import op

revision = "7"
down_revision = "6"


def upgrade() -> None:
    op.add_column("runs", sa.Column("until", sa.Integer))
    op.create_table(
        "studies",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(80), nullable=False, server_default=""),
        sa.Column("study", sa.Text, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("visitor", sa.String(64), nullable=False, server_default=""),
        sa.Column("created_at", sa.Double, nullable=False),
        sa.Column("finished_at", sa.Double),
        sa.Column("deleted_at", sa.Double),
    )
    op.create_index("ix_studies_created_at", "studies", ["created_at"])
    op.create_table(
        "cells",
        sa.Column("study_id", sa.String(32), sa.ForeignKey("studies.id"), primary_key=True),
        sa.Column("key", sa.String(80), primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("figures", sa.Text),
        sa.Column("begun_at", sa.Double, nullable=False),
        sa.Column("reused", sa.Boolean, nullable=False, server_default=sa.false()),
    )
    op.create_index("ix_cells_run_id", "cells", ["run_id"])
