"""Records, where they are, and plan versions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "reps",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("start_address", sa.JSON, nullable=False),
        sa.Column("end_address", sa.JSON),
        sa.Column("timezone", sa.Text, nullable=False),
        sa.Column("work_days", sa.JSON, nullable=False),
        sa.Column("work_start", sa.Time, nullable=False),
        sa.Column("work_end", sa.Time, nullable=False),
        sa.Column("break_minutes", sa.Integer, nullable=False),
        sa.Column("break_window", sa.JSON),
        sa.Column("skills", sa.JSON, nullable=False),
        sa.Column("max_visits_per_day", sa.Integer),
        sa.Column("attributes", sa.JSON, nullable=False),
    )
    op.create_table(
        "accounts",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.JSON, nullable=False),
        sa.Column("category", sa.Text, nullable=False),
        sa.Column("segment", sa.Text, nullable=False),
        sa.Column("owner_rep_id", sa.Text, nullable=False),
        sa.Column("cadence_days", sa.Integer),
        sa.Column("last_visit", sa.Date),
        sa.Column("last_order", sa.Date),
        sa.Column("annual_value", sa.Double, nullable=False),
        sa.Column("visit_minutes", sa.Integer),
        sa.Column("opening_hours", sa.Text, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
    )
    op.create_table(
        "opportunities",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("address", sa.JSON, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("contact_name", sa.Text, nullable=False),
        sa.Column("contact_email", sa.Text, nullable=False),
        sa.Column("value", sa.Double, nullable=False),
        sa.Column("probability", sa.Double, nullable=False),
        sa.Column("budget", sa.Text, nullable=False),
        sa.Column("authority", sa.Text, nullable=False),
        sa.Column("need", sa.Text, nullable=False),
        sa.Column("timeline", sa.Text, nullable=False),
        sa.Column("qualified_at", sa.DateTime),
        sa.Column("first_action_days", sa.Integer),
        sa.Column("visit_minutes", sa.Integer),
        sa.Column("required_skills", sa.JSON, nullable=False),
        sa.Column("availability", sa.Text, nullable=False),
        sa.Column("appointment", sa.DateTime),
        sa.Column("inside_rep", sa.Text, nullable=False),
        sa.Column("notes", sa.Text, nullable=False),
        sa.Column("attributes", sa.JSON, nullable=False),
    )
    op.create_table(
        "locations",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("address", sa.JSON, nullable=False),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("lat", sa.Double),
        sa.Column("lon", sa.Double),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("matched_address", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("candidates", sa.JSON, nullable=False),
    )
    op.create_table(
        "plans",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("days", sa.Integer, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("visits", sa.Integer, nullable=False),
        sa.Column("unplanned", sa.Integer, nullable=False),
        sa.Column("drive_s", sa.Integer, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
