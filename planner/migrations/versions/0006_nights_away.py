"""Reps who may stay overnight, and the hotels of an area; jobs that are to end with the best found so far."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("reps", sa.Column("overnight", sa.Boolean, nullable=False, server_default=sa.false()))
    op.create_table(
        "hotels",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("minutes", sa.Integer),
    )
    op.add_column("jobs", sa.Column("finishing", sa.Boolean, nullable=False, server_default=sa.false()))
