"""Bookings, the days that they change, handoffs and their history, the team's rules."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("reps", sa.Column("languages", sa.JSON, nullable=False, server_default="[]"))
    op.create_table(
        "bookings",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("opportunity_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.Text, nullable=False),
        sa.Column("lat", sa.Double, nullable=False),
        sa.Column("lon", sa.Double, nullable=False),
        sa.Column("service_minutes", sa.Integer, nullable=False),
        sa.Column("start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end", sa.DateTime(timezone=True), nullable=False),
        sa.Column("meaning", sa.Text, nullable=False),
        sa.Column("hours", sa.Text, nullable=False),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("inside_rep", sa.Text, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("ended_at", sa.DateTime(timezone=True)),
        sa.Column("replaces", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("bookings_of_a_day", "bookings", ["area", "rep_id", "day"])
    op.create_index("bookings_of_an_opportunity", "bookings", ["area", "opportunity_id"])
    op.create_table(
        "changed_days",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("plan_version", sa.Integer, nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("route", sa.JSON),
    )
    op.create_table(
        "handoffs",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("opportunity_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("side", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("field_rep", sa.Text, nullable=False),
        sa.Column("answers", sa.JSON, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("learned", sa.Text, nullable=False),
        sa.Column("credit", sa.JSON, nullable=False),
        sa.Column("conflict", sa.Text, nullable=False),
    )
    op.create_table(
        "handoff_events",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("opportunity_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
    )
    op.create_table(
        "team_rules",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("rules", sa.JSON, nullable=False),
    )
    op.create_table(
        "area_stamps",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("stamp", sa.Integer, nullable=False),
    )
