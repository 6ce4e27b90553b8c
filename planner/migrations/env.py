"""What Alembic runs: it migrates over the connection that `planner.storage` hands in, inside its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
