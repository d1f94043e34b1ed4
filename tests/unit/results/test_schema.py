# SPDX-License-Identifier: GPL-2.0-only
"""The tables: migrations lead to what is made anew, a newer form is refused, errors are words."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from kzc.errors import HostError, UsageError
from kzc.results.db.engine import FILE, connect, migrate, opened, writing
from kzc.results.db.schema import REVISIONS, outcomes, tables
from kzc.results.store import Store
from kzc.values import Outcome, Stage, Verdict


def test_the_migrations_are_those_that_are_named(tmp_path: Path) -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    import kzc.results.db

    config = Config()
    folder = Path(kzc.results.db.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    steps = ScriptDirectory.from_config(config).walk_revisions()
    assert tuple(reversed([step.revision for step in steps])) == REVISIONS


def test_migrations_lead_to_the_tables_that_are_made_anew(tmp_path: Path, db: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    engine = connect(tmp_path, db)
    with writing(engine).begin() as connection:
        migrate(connection)
        assert compare_metadata(MigrationContext.configure(connection), tables) == []
        found = {table: indexes(connection, table) for table in tables.tables}
    engine.dispose()
    with opened(tmp_path / "new") as anew, anew.begin() as connection:
        assert found == {table: indexes(connection, table) for table in tables.tables}


def indexes(connection: sa.Connection, table: str) -> set[tuple[str | None, ...]]:
    found = sa.inspect(connection).get_indexes(table)
    return {(each["name"], *each["column_names"]) for each in found}


def test_runs_of_the_first_form_are_there_after_a_migration(tmp_path: Path, db: str) -> None:
    engine = connect(tmp_path, db)
    key = "20261121-093015-3fa2"
    values = {"id": key, "started": "s", "finished": "f", "kzc": "0", "command": '["kzc"]'}
    with writing(engine).begin() as connection:
        migrate(connection, "0001")
        names = ", ".join(values)
        holes = ", ".join(f":{name}" for name in values)
        connection.execute(sa.text(f"INSERT INTO runs ({names}) VALUES ({holes})"), values)
        connection.execute(
            sa.text("INSERT INTO facts (run, name, value) VALUES (:key, 'tree', 'linux')"),
            {"key": key},
        )
    engine.dispose()
    logs = tmp_path / "runs" / key / "logs"
    logs.mkdir(parents=True)
    (logs / "a.log").write_text("it")
    store = Store(tmp_path, db)
    assert store.load().environment == {"tree": "linux"}
    with store.create(("kzc",), {}, "0"):
        pass
    assert [each.path for each in store.files(store.load(key))] == ["logs/a.log"]


def test_a_newer_form_is_refused_and_left_alone(tmp_path: Path, db: str) -> None:
    with opened(tmp_path, db) as engine, writing(engine).begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(HostError, match="written by a newer kzc") as caught:
        Store(tmp_path, db).list()
    assert "\n" not in caught.value.message
    assert "newer kzc" in caught.value.hint


def test_a_run_with_words_of_a_newer_kzc_disturbs_no_other(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path, db)
    for _ in range(2):
        with store.create(("kzc",), {}, "0") as made:
            made.append(Outcome(Stage.TREE, "a", Verdict.PASS))
    with store.opened() as engine, writing(engine).begin() as connection:
        new = sa.update(outcomes).where(outcomes.c.run == made.run.id)
        connection.execute(new.values(stage="wormhole"))
    assert len(store.list()) == 1
    with pytest.raises(HostError, match="wormhole") as caught:
        store.load(made.run.id)
    assert "newer kzc" in caught.value.hint


@pytest.mark.parametrize("url", ["mysql://a/b", "postgres", "://"])
def test_a_url_of_no_use_is_a_usage_error(tmp_path: Path, url: str) -> None:
    with pytest.raises(UsageError, match="KZC_DB"):
        Store(tmp_path, url).list()


def test_a_server_that_is_not_there_is_named_without_its_password(tmp_path: Path) -> None:
    pytest.importorskip("psycopg")
    url = f"postgresql://me:secret@/it?host={tmp_path}"
    with pytest.raises(HostError, match="cannot use the store") as caught:
        Store(tmp_path, url).list()
    assert "secret" not in caught.value.message
    assert "can be reached" in caught.value.hint
    assert "make room" not in caught.value.hint


def test_a_file_that_is_no_database_is_a_host_error(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database" * 999)
    with pytest.raises(HostError, match="cannot use the store") as caught:
        Store(tmp_path).list()
    assert "make room" not in caught.value.hint
