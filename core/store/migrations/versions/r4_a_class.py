"""Runs have a control link and, if a teacher moves them, a rank; the server has settings."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"


def upgrade() -> None:
    op.add_column("runs", sa.Column("control", sa.String(64)))
    op.add_column("runs", sa.Column("rank", sa.Integer))
    op.create_table(
        "settings",
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
