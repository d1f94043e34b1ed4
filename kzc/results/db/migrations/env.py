# SPDX-License-Identifier: GPL-2.0-only
"""What alembic runs before migrations: on the connection, and in the transaction, it was given."""

from __future__ import annotations

from alembic import context

from kzc.results.db.schema import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables)
with context.begin_transaction():
    context.run_migrations()
