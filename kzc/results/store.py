# SPDX-License-Identifier: GPL-2.0-only
"""Runs that last: every run and outcome in a database, every log by its content.

An outcome is in the database before `append` returns, so that a kill at any moment loses only the
step in flight. A run without the mark `finished` was cut short, and says so. While it goes on its
logs are plain files in a folder of its own; see folders.py for what becomes of them.
"""

from __future__ import annotations

import difflib
import re
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kzc.errors import HostError, UsageError
from kzc.inuse import owned
from kzc.results import disk
from kzc.results.blobs import Blobs, Elsewhere, Kept
from kzc.results.past import Past, pasts
from kzc.results.wanted import Wanted
from kzc.settings import Settings
from kzc.values import Outcome, Run

if TYPE_CHECKING:  # slow to load, and not needed by who only names a store
    import sqlalchemy as sa

    from kzc.results.forgetting import Forgotten

LOGS = "logs"
ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")


def _now() -> datetime:
    return datetime.now(UTC)


def _token() -> str:
    return secrets.token_hex(2)


class OpenRun:
    """A run being made. Leaving the `with` block by an exception leaves it unfinished."""

    def __init__(self, store: Store, engine: sa.Engine, run: Run, until: ExitStack) -> None:
        self.folder = store.folder / run.id
        self._store = store
        self._engine = engine
        self._run = run
        self._until = until

    @property
    def run(self) -> Run:
        """The run as it stands."""
        return self._run

    @property
    def logs(self) -> Path:
        """Where raw logs go; an `Outcome.log` is such a path relative to `folder`."""
        return self.folder / LOGS

    def append(self, outcome: Outcome) -> None:
        """Keep one outcome. Raises HostError when the disk refuses; nothing of it is kept then."""
        from kzc.results.db import rows

        with self._changing() as connection:
            rows.add_outcome(connection, self._run.id, len(self._run.outcomes), outcome)
        self._run = replace(self._run, outcomes=(*self._run.outcomes, outcome))

    def note(self, facts: Mapping[str, str]) -> None:
        """Add to the environment what was not known at the start (config hash, release)."""
        from kzc.results.db import rows

        with self._changing() as connection:
            rows.add_facts(connection, self._run.id, facts)
        self._run = replace(self._run, environment={**self._run.environment, **facts})

    def finish(self) -> Run:
        """Mark the run as complete and return it; a second call changes nothing."""
        from kzc.results.db import rows

        if not self._run.finished:
            run = replace(self._run, finished=_stamp(self._store.clock()))
            with self._changing() as connection:
                rows.finish(connection, run.id, run.finished)
            self._run = run
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        from kzc.results import folders

        with self._until:
            if kind is None:
                self.finish()
            with suppress(HostError):  # nothing is lost, and the next run tries again
                folders.fold(self._engine, self._store.blobs, self.folder)

    @contextmanager
    def _changing(self) -> Iterator[sa.Connection]:
        from kzc.results.db import engine

        with engine.blamed(self._engine), engine.writing(self._engine).begin() as connection:
            yield connection


@dataclass(frozen=True)
class Store:
    """All runs. Any number of kzc may use it at once; `db` is a database's URL, empty for a file
    in the folder `data`, where logs are in any case."""

    data: Path
    db: str = ""
    clock: Callable[[], datetime] = _now
    token: Callable[[], str] = _token

    @classmethod
    def of(cls, settings: Settings) -> Store:
        """The store that the user has set."""
        return cls(settings.data, settings.db)

    @property
    def folder(self) -> Path:
        return self.data / "runs"

    @property
    def blobs(self) -> Blobs:
        return Blobs(self.data / "logs")

    def folder_of(self, run: Run) -> Path:
        """The folder of a run with its logs; made again where it was given up. It is not there
        where the logs are on another machine. Raises HostError."""
        from kzc.results import folders

        folder = self.folder / run.id
        if not folder.is_dir():
            with self.opened() as engine, suppress(Elsewhere):
                folders.restore(engine, self.blobs, folder)
        return folder

    def files(self, run: Run) -> tuple[Kept, ...]:
        """The files of a run, by their paths in its folder; of one that goes on, or was just
        killed, those that are there."""
        from kzc.results import folders

        with self.opened() as engine:
            found = folders.kept(engine, run.id)
        return found or folders.plain(self.folder / run.id)

    def create(self, command: Sequence[str], environment: Mapping[str, str], kzc: str) -> OpenRun:
        """Begin a run in a folder of its own. Raises HostError when the disk refuses."""
        import sqlalchemy as sa

        from kzc.results import folders
        from kzc.results.db import rows
        from kzc.results.db.engine import blamed, writing

        facts = {str(key): str(value) for key, value in environment.items()}
        with ExitStack() as stack:
            engine = stack.enter_context(self.opened())
            with suppress(HostError):  # the run itself will say what is wrong
                folders.tidy(engine, self.blobs, self.folder)
            while True:
                begin, folder = self._new_folder()
                with disk.blamed(folder):
                    stack.enter_context(owned(folder / folders.LOCK))
                run = Run(folder.name, _stamp(begin), tuple(command), kzc, facts)
                try:
                    with blamed(engine), writing(engine).begin() as connection:
                        rows.add_run(connection, run)
                except sa.exc.IntegrityError:  # another machine has a run of that name
                    continue
                break
            return OpenRun(self, engine, run, stack.pop_all())

    def load(self, name: str | None = None) -> Run:
        """The run of that id, of the only id that begins or ends so, or the newest.

        Raises UsageError when no or more than one run is meant, HostError when the database fails.
        """
        from kzc.results.db import rows
        from kzc.results.db.engine import blamed

        with self.opened() as engine, blamed(engine), engine.begin() as connection:
            ids = rows.ids(connection)
            run = rows.read_run(connection, self._meant(name, ids))
        assert run is not None
        return run

    def latest(self) -> Run:
        """The newest run. Raises UsageError when there is none."""
        return self.load()

    def list(self, wanted: Wanted | None = None) -> tuple[Run, ...]:
        """All runs, or those wanted, newest first, without cases and detail: the verdicts of cases
        are folded into their outcomes'."""
        from kzc.results.db import chosen, rows
        from kzc.results.db.engine import blamed

        wanted = wanted or Wanted()
        with self.opened() as engine, blamed(engine), engine.begin() as connection:
            found = rows.read_heads(connection, chosen.ids(wanted))
        return chosen.by_verdict(found, wanted)

    def known(self) -> Mapping[str, Sequence[str]]:
        """What runs can be told apart by: the trees and series that they name, the tests' subjects
        and the verdicts that there are, under the names of the fields of `Wanted`."""
        from kzc.results.db import chosen
        from kzc.results.db.engine import blamed

        with self.opened() as engine, blamed(engine), engine.begin() as connection:
            return chosen.known(connection)

    def past(self, case: str, wanted: Wanted | None = None) -> tuple[Past, ...]:
        """What became of a case (SUITE:CASE or CASE), or of a whole suite or stage, in all runs;
        with `wanted.last` the newest so many sightings of each.

        Raises UsageError that names similar ones where nothing was seen of it.
        """
        from kzc.results.db import sightings
        from kzc.results.db.engine import blamed

        wanted = wanted or Wanted()
        with self.opened() as engine, blamed(engine), engine.begin() as connection:
            found = sightings.of_case(connection, case, replace(wanted, last=0))
            near = () if found else sightings.names_like(connection, case)
        if not found:
            hint = f"near it: {', '.join(near)}" if near else "`kzc runs` shows what was run"
            raise UsageError(f"no run has a case, suite or stage {case!r}", hint)
        return tuple(replace(past, seen=past.seen[-wanted.last :]) for past in pasts(found))

    def export(self, run: Run, target: Path) -> None:
        """Put a run that is over into an archive. Raises UsageError where it goes on."""
        from kzc.results import archive, folders

        folder = self.folder / run.id
        with self.opened() as engine:
            if not folders.settle(engine, self.blobs, folder):
                raise UsageError(f"run {run.id} goes on", "`kzc ps` shows it")
            archive.pack(run, folders.kept(engine, run.id), self.blobs, target)

    def take(self, source: Path, limit: int) -> tuple[Run, bool]:
        """Take in the run of an archive of at most `limit` bytes, or of an old run's folder; and
        whether it was not here. Raises UsageError where it cannot be trusted; nothing is kept
        then."""
        from kzc.results import old_runs, taking

        with self.opened() as engine:
            if source.is_dir():
                return old_runs.copy_in(engine, self.blobs, source)
            return taking.take(engine, self.blobs, source, limit)

    def clean(self, older_than: float) -> tuple[Path, ...]:
        """Remove the plain copies of runs' files that are older than so many seconds, and what
        kills left half made. The runs themselves stay. Returns what was removed."""
        from kzc.results import folders

        if not self.folder.is_dir():
            return ()
        with self.opened() as engine:
            gone = folders.tidy(engine, self.blobs, self.folder, older_than=older_than)
        return (*gone, *self.blobs.sweep())

    def older(self, days: int) -> tuple[str, ...]:
        """The ids of runs that were begun more than so many days ago, the oldest first."""
        from kzc.results import forgetting

        with self.opened() as engine:
            return forgetting.older(engine, self.clock(), days)

    def forget(self, ids: Sequence[str]) -> Forgotten:
        """Forget runs, with the contents that no other run has. Raises UsageError where one goes
        on; nothing is forgotten then."""
        from kzc.results import forgetting

        with self.opened() as engine:
            return forgetting.forget(engine, self.blobs, self.folder, ids)

    @contextmanager
    def opened(self) -> Iterator[sa.Engine]:
        """The database; runs of a kzc without one are taken in first."""
        from kzc.results import old_runs
        from kzc.results.db.engine import opened

        with opened(self.data, self.db) as engine:
            old_runs.take_in(engine, self.blobs, self.folder)
            yield engine

    def _new_folder(self) -> tuple[datetime, Path]:
        with disk.blamed(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                begin = self.clock()
                folder = self.folder / f"{begin:%Y%m%d-%H%M%S}-{self.token()}"
                try:
                    folder.mkdir()
                except FileExistsError:
                    continue
                (folder / LOGS).mkdir()
                return begin, folder

    def _meant(self, name: str | None, ids: Sequence[str]) -> str:
        if name is None and not ids:
            raise UsageError(f"no run in {self.data}", "`kzc run SERIES` makes one")
        if name is None:
            return ids[0]
        meant = [name] if name in ids else [key for key in ids if _means(name, key)]
        if len(meant) != 1:
            raise _unclear(name, meant, ids)
        return meant[0]


def _means(name: str, key: str) -> bool:
    return bool(name) and (key.startswith(name) or key.endswith(f"-{name}"))


def _unclear(name: str, meant: Sequence[str], ids: Sequence[str]) -> UsageError:
    if meant:
        return UsageError(f"more than one run is called {name!r}: {', '.join(meant[:5])}")
    near = difflib.get_close_matches(name, ids, 3) or ids[:3]
    hint = f"near it: {', '.join(near)}; " if near else ""
    return UsageError(f"no run is called {name!r}", f"{hint}`kzc runs` shows them all")


def _stamp(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
