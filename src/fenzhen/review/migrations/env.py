"""Alembic's entry: runs the migrations on the connection that `fenzhen.review.engine.migrate` hands over.

Reads no ini file and no environment variable, sets up no logging, and opens no connection of its own.
"""

from alembic import context

from fenzhen.review.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    # The caller's transaction holds the lock that keeps other workers out; Alembic must not commit it.
    transactional_ddl=False,
)
context.run_migrations()
