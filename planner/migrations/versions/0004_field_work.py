"""What field reps send from their phones, and what follows from it; contacts of accounts and opportunities.

A contact that a file brought before there were columns for it was kept as attributes; what fits a column moves there.
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

CONTACTS = {
    "accounts": ("contact_name", "contact_email", "contact_phone"),
    "opportunities": ("contact_phone",),
}


def upgrade() -> None:
    for table, columns in CONTACTS.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.Text, nullable=False, server_default=""))
        _move_contacts(table, columns)
    op.add_column("handoffs", sa.Column("before", sa.JSON))
    op.create_table(
        "field_events",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("visit_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("base", sa.Integer, nullable=False),
        sa.Column("body", sa.JSON, nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
    )
    op.create_index("field_events_of_a_day", "field_events", ["area", "rep_id", "day"])
    op.create_index("field_events_by_outcome", "field_events", ["area", "rep_id", "outcome"])
    op.create_table(
        "check_ins",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("visit_id", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double),
        sa.Column("lon", sa.Double),
        sa.Column("accuracy_m", sa.Double),
        sa.Column("distance_m", sa.Double),
        sa.Column("verdict", sa.Text, nullable=False),
        sa.Column("coarse", sa.Boolean, nullable=False),
    )
    op.create_index("check_ins_of_a_day", "check_ins", ["area", "rep_id", "day"])
    op.create_table(
        "visit_reports",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, nullable=False),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("visit_id", sa.Text, nullable=False),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("opportunity_id", sa.Text, nullable=False),
        sa.Column("inside_rep", sa.Text, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.Text, nullable=False),
        sa.Column("disposition", sa.Text, nullable=False),
        sa.Column("deal", sa.Text, nullable=False),
        sa.Column("next_step", sa.Text, nullable=False),
        sa.Column("next_step_on", sa.Date),
        sa.Column("competitor", sa.Text, nullable=False),
        sa.Column("concern", sa.Text, nullable=False),
        sa.Column("severity", sa.Text),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("order_value", sa.Double),
        sa.Column("template", sa.Text, nullable=False),
    )
    op.create_index("visit_reports_of_an_account", "visit_reports", ["area", "account_id"])
    op.create_index("visit_reports_of_an_opportunity", "visit_reports", ["area", "opportunity_id"])
    op.create_index("visit_reports_of_a_day", "visit_reports", ["area", "rep_id", "day"])
    op.create_table(
        "field_visits",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("visit_id", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, nullable=False),
        sa.Column("opportunity_id", sa.Text, nullable=False),
        sa.Column("inside_rep", sa.Text, nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True)),
        sa.Column("left_at", sa.DateTime(timezone=True)),
        sa.Column("dwell_minutes", sa.Integer),
        sa.Column("report_id", sa.Text, nullable=False),
        sa.Column("disposition", sa.Text),
        sa.Column("reported_at", sa.DateTime(timezone=True)),
    )
    op.create_index("field_visits_of_an_account", "field_visits", ["area", "account_id", "day"])
    op.create_table(
        "day_progress",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
        sa.Column("leave_at", sa.DateTime(timezone=True)),
        sa.Column("finish_by", sa.DateTime(timezone=True)),
        sa.Column("sick", sa.Boolean, nullable=False),
        sa.Column("left_out", sa.JSON, nullable=False),
        sa.Column("added", sa.JSON, nullable=False),
        sa.Column("order", sa.JSON, nullable=False),
        sa.Column("to_call", sa.JSON, nullable=False),
    )
    op.create_table(
        "visit_minutes",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("minutes", sa.Integer, nullable=False),
        sa.Column("set_by", sa.Text, nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "account_visits",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("account_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("last_visit", sa.Date),
        sa.Column("dwells", sa.JSON, nullable=False),
        sa.Column("minutes", sa.Integer),
    )
    op.create_index("account_visits_by_number", "account_visits", ["area", "number"])
    op.create_table(
        "report_templates",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("templates", sa.JSON, nullable=False),
    )
    op.create_table(
        "calendar_feeds",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("secret_hash", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "sent_mails",
        sa.Column("area", sa.Text, primary_key=True),
        sa.Column("rep_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("problem", sa.Text, nullable=False),
    )


def _move_contacts(table: str, columns: tuple[str, ...]) -> None:
    """Names of attributes are a file's headers as typed: "Contact phone" is contact_phone."""
    names = ("area", "id", *columns)
    rows = sa.table(table, *map(sa.column, names), sa.column("attributes", sa.JSON))
    connection = op.get_bind()
    moved = []
    for row in connection.execute(sa.select(rows.c.area, rows.c.id, rows.c.attributes)).mappings():
        kept, found = {}, dict.fromkeys(columns, "")
        for name, text in row["attributes"].items():
            column = re.sub(r"[\s-]+", "_", name.strip().lower())
            if found.get(column) == "" and _fits(column, text.strip()):
                found[column] = text.strip()
            else:
                kept[name] = text
        if any(found.values()):
            moved.append({"of_area": row["area"], "of_id": row["id"], "attributes": kept, **found})
    if moved:
        here = (rows.c.area == sa.bindparam("of_area")) & (rows.c.id == sa.bindparam("of_id"))
        connection.execute(rows.update().where(here), moved)


def _fits(column: str, text: str) -> bool:
    if column != "contact_phone":
        return 0 < len(text) <= 2_000
    return len(text) <= 50 and sum(map(str.isdecimal, text)) >= 3
