"""Territories, coverage and what-if; leads, daily goals and the weekly summary's readers."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("opportunities", sa.Column("source", sa.Text, nullable=False, server_default=""))
    op.add_column("opportunities", sa.Column("lead_at", sa.DateTime))
    op.add_column("opportunities", sa.Column("contacted_at", sa.DateTime))
    op.add_column("handoff_events", sa.Column("report_id", sa.Text, nullable=False, server_default=""))
    op.create_table(
        "territories",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("rep_id", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("geometry", sa.JSON, nullable=False),
    )
    op.create_table(
        "coverages",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("as_of", sa.Date, nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.Column("accounts", sa.Text, nullable=False),
    )
    op.create_table(
        "scenarios",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("changes", sa.JSON, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.Text, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("computed_at", sa.DateTime(timezone=True)),
        sa.Column("applied_at", sa.DateTime(timezone=True)),
        sa.Column("applied_by", sa.Text, nullable=False),
    )
    op.create_table(
        "activity_goals",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("goals", sa.JSON, nullable=False),
        sa.Column("earlier", sa.JSON, nullable=False),
    )
    op.create_table(
        "activity_counts",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_table(
        "summary_readers",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("week", sa.Date),
        sa.Column("state", sa.Text),
        sa.Column("at", sa.DateTime(timezone=True)),
        sa.Column("problem", sa.Text, nullable=False),
        sa.Column("wanted", sa.Boolean, nullable=False),
    )
