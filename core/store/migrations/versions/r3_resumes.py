"""Runs that go on by themselves after their server was gone."""

import sqlalchemy as sa
from alembic import op

revision = "3"
down_revision = "2"


def upgrade() -> None:
    op.add_column("runs", sa.Column("resumes", sa.Integer, nullable=False, server_default="0"))
