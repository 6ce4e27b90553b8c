"""The steps in planner/migrations, run inside somebody's transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy.engine import Connection

SCHEMA = "0006"
"""The newest migration; what `tables` describes."""


def migrations() -> list[str]:
    """The names of all steps, the first one first."""
    from alembic.script import ScriptDirectory

    steps = ScriptDirectory.from_config(_config(None)).walk_revisions()
    return [step.revision for step in steps][::-1]


def upgrade(connection: Connection, schema: str) -> None:
    """Take the steps from the schema that the database has to another one."""
    from alembic import command

    command.upgrade(_config(connection), schema)


def _config(connection: Connection | None) -> Any:
    # Alembic is imported here because that takes 0.3 s, which most starts of the program can do without.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "planner:migrations")
    config.attributes["connection"] = connection
    return config
