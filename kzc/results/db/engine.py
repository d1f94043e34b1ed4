# SPDX-License-Identifier: GPL-2.0-only
"""Opening the database: which one it is, its tables made or migrated, its errors as kzc's own.

SQLite writes ahead (WAL) where the file system can, so that readers never wait; each change is a
transaction that takes the only writer's place at its beginning, and waits for it. A program that
is killed leaves whole transactions behind. PostgreSQL does all that by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from kzc.errors import HostError, UsageError, pip_install
from kzc.results.db.schema import REVISIONS, tables

FILE = "kzc.db"
_PATIENCE = 60  # seconds for another writer's transaction to end
_LOCK = 0x6B7A63  # "kzc": who holds this lock of PostgreSQL's may change tables
_FULL = ("disk is full", "disk I/O error")  # SQLite's words where there is no room
_VERSION = sa.table("alembic_version", sa.column("version_num"))


@contextmanager
def opened(data: Path, db: str = "") -> Iterator[sa.Engine]:
    """The store's database with tables as this kzc wants them; its connections end with the block.

    `db` is a URL, empty for a file of SQLite's in `data`. Raises UsageError for a URL of another
    kind, HostError where the database cannot be reached or is a newer kzc's.
    """
    engine = connect(data, db)
    try:
        with blamed(engine):
            _prepare(engine)
        yield engine
    finally:
        engine.dispose()


def connect(data: Path, db: str = "") -> sa.Engine:
    """An engine for `db`, as `opened` has it, whose tables nobody has looked at."""
    url = _url(data, db)
    if url.get_backend_name() == "sqlite":
        if url.database:
            with _no_folder(Path(url.database)):
                Path(url.database).parent.mkdir(parents=True, exist_ok=True)
        engine = sa.create_engine(url, connect_args={"timeout": _PATIENCE})
        sa.event.listen(engine, "connect", _begin_by_hand)
        sa.event.listen(engine, "begin", _begin)
        return engine
    try:
        # a run is read by several statements, which must see the same moment
        return sa.create_engine(url, isolation_level="REPEATABLE READ")
    except ImportError as error:
        raise HostError(
            f"PostgreSQL needs a package that is not here: {error}",
            pip_install("psycopg[binary]"),
        ) from None


def writing(engine: sa.Engine) -> sa.Engine:
    """The engine for transactions that change something."""
    return engine.execution_options(kzc_writes=True)


@contextmanager
def blamed(engine: sa.Engine) -> Iterator[None]:
    """Turn what the database says into a HostError that names it, without its password."""
    try:
        yield
    except sa.exc.IntegrityError:
        raise
    except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
        said = str(error.orig if isinstance(error, sa.exc.DBAPIError) else error)
        line = (said.strip().splitlines() or [""])[0]
        message = f"cannot use the store {shown(engine)}: {line}"
        raise HostError(message, _next(engine, line)) from error


def _next(engine: sa.Engine, said: str) -> str:
    if engine.url.get_backend_name() != "sqlite":
        return "see that the setting db (KZC_DB) names a database that can be reached"
    if any(word in said for word in _FULL):
        return "make room (`kzc clean` frees what can be made again)"
    return "see that it is a database of kzc's that can be written, or choose another data folder"


def shown(engine: sa.Engine) -> str:
    """The database for people."""
    if engine.url.get_backend_name() == "sqlite":
        return str(engine.url.database)
    return engine.url.render_as_string(hide_password=True)


def _url(data: Path, db: str) -> URL:
    if not db:
        return URL.create("sqlite", database=str(data / FILE))
    try:
        url = make_url(db)
    except sa.exc.ArgumentError:
        url = None
    kind = url.get_backend_name() if url else ""
    if url is None or kind not in {"sqlite", "postgresql", "postgres"}:
        raise UsageError(
            "the setting db (KZC_DB) is no URL of a database that kzc can use",
            "like this: postgresql://user@host/name, or sqlite:////folder/kzc.db",
        )
    return url if kind == "sqlite" else url.set(drivername="postgresql+psycopg")


@contextmanager
def _no_folder(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise HostError(
            f"cannot write {path}: {error.strerror}", "choose another data folder"
        ) from error


def _begin_by_hand(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # else tables would be made outside of transactions
    if connection.execute("PRAGMA page_count").fetchone() == (0,):
        connection.execute("PRAGMA synchronous = OFF")  # nothing to lose, and three waits less
    with suppress(sqlite3.OperationalError):  # another process is at it, or it cannot be had
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: sa.Connection) -> None:
    writes = connection.get_execution_options().get("kzc_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare(engine: sa.Engine) -> None:
    """Make or migrate the tables if need be; one process at a time."""
    with suppress(sa.exc.DBAPIError), engine.begin() as connection:  # a look that costs nothing
        if connection.execute(sa.select(_VERSION.c.version_num)).scalar() == REVISIONS[-1]:
            return
    server = engine.dialect.name == "postgresql"
    # who had to wait for the lock looks at what is there then
    changes = writing(engine).execution_options(isolation_level="READ COMMITTED")
    with (changes if server else writing(engine)).begin() as connection:
        if server:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        revision = _revision(connection)
        if not revision:
            _make(connection)
        elif revision not in REVISIONS:
            raise HostError(
                f"the store {shown(engine)} was written by a newer kzc (its form is {revision}, "
                f"this one knows {REVISIONS[-1]})",
                "install a newer kzc, or set db (KZC_DB) to another database",
            )
        elif revision != REVISIONS[-1]:
            migrate(connection)


def _revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(_VERSION.name):
        return ""
    return str(connection.execute(sa.select(_VERSION.c.version_num)).scalar() or "")


def _make(connection: sa.Connection) -> None:
    """All tables as they are now; alembic, slow to load, is told that it had made them."""
    tables.create_all(connection, checkfirst=False)
    connection.exec_driver_sql(
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
        "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
    )
    connection.execute(sa.insert(_VERSION).values(version_num=REVISIONS[-1]))


def migrate(connection: sa.Connection, revision: str = "head") -> None:
    """Bring the tables to a revision, in the connection's transaction."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
