# SPDX-License-Identifier: GPL-2.0-only
"""Runs with what they were made with, their outcomes and cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        *_texts("started", "finished", "kzc", "command"),
    )
    op.create_index("ix_runs_started", "runs", ["started"])
    op.create_table(
        "facts",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        *_texts("value"),
    )
    op.create_index("facts_by_value", "facts", ["value"], postgresql_using="hash")
    op.create_table(
        "outcomes",
        sa.Column("run", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("stage", "subject", "verdict", "judged"),
        sa.Column("seconds", sa.Double, nullable=False),
        *_texts("log", "reason", "detail"),
    )
    op.create_index("outcomes_by_subject", "outcomes", ["subject"], postgresql_using="hash")
    op.create_table(
        "cases",
        sa.Column("run", sa.Text, primary_key=True),
        sa.Column("outcome", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *_texts("name", "verdict"),
        sa.Column("seconds", sa.Double, nullable=False),
        *_texts("reason", "detail"),
        sa.ForeignKeyConstraint(
            ["run", "outcome"], ["outcomes.run", "outcomes.number"], ondelete="CASCADE"
        ),
    )
    op.create_index("cases_by_name", "cases", ["name"], postgresql_using="hash")


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]
