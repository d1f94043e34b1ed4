# SPDX-License-Identifier: GPL-2.0-only
"""The files of a run's folder, by content."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Runs that are there already have their files in their folders still."""
    op.add_column(
        "runs", sa.Column("folded", sa.Boolean, nullable=False, server_default=sa.false())
    )
    op.create_table(
        "files",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_files_sha256", "files", ["sha256"])
