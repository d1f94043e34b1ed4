# SPDX-License-Identifier: GPL-2.0-only
"""The tables of the store, the same on SQLite and PostgreSQL.

Rule: each thing stands in one place. What a run was made with is a row of `facts` per name; only
`judged` is worked out (an outcome's verdict with its cases'), so that a list need not read cases.
A change here needs a migration: its name at the end of `REVISIONS`, its file in migrations/.
"""

from __future__ import annotations

import json
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

REVISIONS = ("0001", "0002")
"""Names of the migrations in their order; the last one's is what this kzc writes."""

_ODD = re.compile("[\x00\\\\\ud800-\udfff]")
_ESCAPE = re.compile(r"\\u([0-9a-f]{4})")


class Exact(TypeDecorator[str]):
    """Any text of Python's. Databases refuse NUL and lone surrogates, which guests do write: these
    and the backslash are kept as `\\u0000`."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or not _ODD.search(value):
            return value
        return _ODD.sub(lambda odd: f"\\u{ord(odd[0]):04x}", value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> str | None:
        if value is None or "\\" not in value:
            return value
        return _ESCAPE.sub(lambda escape: chr(int(escape[1], 16)), value)


class Json(TypeDecorator[Any]):
    """What JSON holds, as text in ASCII, so that it comes back as it went."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str:
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return json.loads(value or "null")


tables = sa.MetaData()


def _column(name: str, kind: Any, **more: Any) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False, **more)


runs = sa.Table(
    "runs",
    tables,
    _column("id", Exact, primary_key=True),
    _column("started", Exact, index=True),
    _column("finished", Exact),
    _column("kzc", Exact),
    _column("command", Json),
    _column("folded", sa.Boolean, server_default=sa.false()),
)
"""`folded`: the files of the run's folder are kept by their content."""

facts = sa.Table(
    "facts",
    tables,
    _column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    _column("name", Exact, primary_key=True),
    _column("value", Exact),
    # a value may be longer than PostgreSQL's trees take
    sa.Index("facts_by_value", "value", postgresql_using="hash"),
)

outcomes = sa.Table(
    "outcomes",
    tables,
    _column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    _column("number", sa.Integer, primary_key=True, autoincrement=False),
    _column("stage", Exact),
    _column("subject", Exact),
    _column("verdict", Exact),
    _column("judged", Exact),
    _column("seconds", sa.Double),
    _column("log", Exact),
    _column("reason", Exact),
    _column("detail", Json),
    sa.Index("outcomes_by_subject", "subject", postgresql_using="hash"),
)

cases = sa.Table(
    "cases",
    tables,
    _column("run", Exact, primary_key=True),
    _column("outcome", sa.Integer, primary_key=True, autoincrement=False),
    _column("number", sa.Integer, primary_key=True, autoincrement=False),
    _column("name", Exact),
    _column("verdict", Exact),
    _column("seconds", sa.Double),
    _column("reason", Exact),
    _column("detail", Json),
    sa.ForeignKeyConstraint(
        ["run", "outcome"], ["outcomes.run", "outcomes.number"], ondelete="CASCADE"
    ),
    sa.Index("cases_by_name", "name", postgresql_using="hash"),
)

files = sa.Table(
    "files",
    tables,
    _column("run", sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    _column("number", sa.Integer, primary_key=True, autoincrement=False),
    _column("path", Exact),
    _column("sha256", sa.String(64), index=True),
    _column("size", sa.BigInteger),
)
"""What was in a run's folder: where, and which content."""
