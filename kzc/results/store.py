# SPDX-License-Identifier: GPL-2.0-only
"""Runs on disk: `<data>/runs/<id>/` with run.json, outcomes.jsonl and logs/.

run.json is the header, always replaced whole. Each outcome is one line of outcomes.jsonl, on
disk before `append` returns, so that a kill at any moment loses only the step in flight. A run
without the mark `finished` in its header was cut short, and says so.
"""

from __future__ import annotations

import difflib
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from kzc.errors import HostError, UsageError
from kzc.results import disk
from kzc.results.codec import (
    header_from_json,
    header_to_json,
    outcome_from_json,
    outcome_to_json,
)
from kzc.results.verdicts import judge
from kzc.values import Outcome, Run

HEADER, OUTCOMES, LOGS = "run.json", "outcomes.jsonl", "logs"
_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_DAMAGED = (ValueError, KeyError, TypeError, AttributeError)


def _now() -> datetime:
    return datetime.now(UTC)


def _token() -> str:
    return secrets.token_hex(2)


class OpenRun:
    """A run being made. Leaving the `with` block by an exception leaves it unfinished."""

    def __init__(self, folder: Path, run: Run, clock: Callable[[], datetime] = _now) -> None:
        self.folder = folder
        self._run = run
        self._clock = clock
        self._file = os.open(folder / OUTCOMES, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    @property
    def run(self) -> Run:
        """The run as it stands."""
        return self._run

    @property
    def logs(self) -> Path:
        """Where raw logs go; an `Outcome.log` is such a path relative to `folder`."""
        return self.folder / LOGS

    def append(self, outcome: Outcome) -> None:
        """Keep one outcome. Raises HostError when the disk refuses; the file stays whole then."""
        data = json.dumps(outcome_to_json(outcome)).encode() + b"\n"
        with disk.blamed(self.folder / OUTCOMES):
            disk.append(self._file, data)
        self._run = replace(self._run, outcomes=(*self._run.outcomes, outcome))

    def note(self, facts: Mapping[str, str]) -> None:
        """Add to the environment what was not known at the start (config hash, release)."""
        self._run = replace(self._run, environment={**self._run.environment, **facts})
        _save(self.folder, header_to_json(self._run))

    def finish(self) -> Run:
        """Mark the run as complete and return it; a second call changes nothing."""
        if not self._run.finished:
            run = replace(self._run, finished=_stamp(self._clock()))
            heads = [outcome_to_json(_head(outcome)) for outcome in run.outcomes]
            _save(self.folder, {**header_to_json(run), "heads": heads})
            self._run = run
        return self._run

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None:
                self.finish()
        finally:
            os.close(self._file)


@dataclass(frozen=True)
class Store:
    """All runs under the data folder. Any number of kzc may use it at once."""

    data: Path
    clock: Callable[[], datetime] = _now
    token: Callable[[], str] = _token

    @property
    def folder(self) -> Path:
        return self.data / "runs"

    def folder_of(self, run: Run) -> Path:
        """The folder of a loaded run; it holds its logs."""
        return self.folder / run.id

    def create(self, command: Sequence[str], environment: Mapping[str, str], kzc: str) -> OpenRun:
        """Begin a run in a folder of its own. Raises HostError when the disk refuses."""
        with disk.blamed(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            while True:
                begin = self.clock()
                folder = self.folder / f"{begin:%Y%m%d-%H%M%S}-{self.token()}"
                try:
                    folder.mkdir()
                    break
                except FileExistsError:
                    continue
            run = Run(folder.name, _stamp(begin), tuple(command), kzc, dict(environment))
            (folder / LOGS).mkdir()
            _save(folder, header_to_json(run))
            return OpenRun(folder, run, self.clock)

    def load(self, name: str | None = None) -> Run:
        """The run of that id, of the only id that begins or ends so, or the newest.

        Raises UsageError when no or more than one run is meant, HostError when it is damaged.
        """
        if name is None:
            return self.latest()
        ids = self._ids()
        meant = [name] if name in ids else [key for key in ids if _means(name, key)]
        if len(meant) != 1:
            raise _unclear(name, meant, ids)
        return self._read(meant[0])

    def latest(self) -> Run:
        """The newest run. Raises UsageError when there is none, HostError when it is damaged."""
        ids = self._ids()
        if not ids:
            raise UsageError(f"no run in {self.folder}", "`kzc run SERIES` makes one")
        same_second = [key for key in ids if key[:15] == ids[0][:15]]
        return max(map(self._read, same_second), key=lambda run: run.started)

    def list(self) -> tuple[Run, ...]:
        """All runs, newest first; finished ones without cases and detail, their verdicts folded.

        A folder without a header belongs to a run just being made, and is left out.
        """
        runs = (self._header(key) for key in self._ids())
        return tuple(sorted(filter(None, runs), key=lambda run: run.started, reverse=True))

    def _ids(self) -> tuple[str, ...]:
        folders = self.folder.iterdir() if self.folder.is_dir() else ()
        names = (each.name for each in folders if (each / HEADER).exists())
        return tuple(sorted(filter(_ID.fullmatch, names), reverse=True))

    def _header(self, key: str) -> Run | None:
        try:
            data = json.loads((self.folder / key / HEADER).read_bytes())
            if data["finished"]:
                heads = tuple(outcome_from_json(head) for head in data["heads"])
            else:
                heads = read_outcomes(self.folder / key / OUTCOMES)
            return header_from_json({**data, "id": key}, heads)
        except (OSError, HostError, *_DAMAGED):
            return None

    def _read(self, key: str) -> Run:
        folder = self.folder / key
        try:
            data = json.loads((folder / HEADER).read_bytes())
            return header_from_json({**data, "id": key}, read_outcomes(folder / OUTCOMES))
        except (OSError, *_DAMAGED) as error:
            raise HostError(
                f"run {key} has no readable header {folder / HEADER}: {error}",
                f"its logs, if it came that far, are in {folder / LOGS}",
            ) from error


def read_outcomes(path: Path) -> tuple[Outcome, ...]:
    """The outcomes in a file; what a kill left of the last line is passed over.

    Raises HostError for a damaged line that is not the last.
    """
    lines = path.read_bytes().split(b"\n") if path.exists() else []
    outcomes = []
    for number, data in enumerate(lines, 1):
        if not data:
            continue
        try:
            outcomes.append(outcome_from_json(json.loads(data)))
        except _DAMAGED as error:
            if number == len(lines):
                break
            raise HostError(
                f"line {number} of {path} is damaged: {error}",
                f"the raw logs are in {path.parent / LOGS}; the other lines are whole",
            ) from error
    return tuple(outcomes)


def _head(outcome: Outcome) -> Outcome:
    return replace(outcome, verdict=judge(outcome), cases=(), detail={})


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


def _save(folder: Path, data: Mapping[str, Any]) -> None:
    path = folder / HEADER
    with disk.blamed(path):
        disk.replace(path, json.dumps(data, indent=1).encode() + b"\n")
