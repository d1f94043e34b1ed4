# SPDX-License-Identifier: GPL-2.0-only
"""A run as it happens, for another program: lines of JSON, each on disk before the next step.

`{"run": HEADER, "folder": PATH}` comes first, and again when the run has ended, as by then more is
known of it; between them `{"outcome": OUTCOME}` for each stage that ended. What a kill left of the
last line is passed over.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kzc.results import disk
from kzc.results.codec import (
    header_from_json,
    header_to_json,
    outcome_from_json,
    outcome_to_json,
)
from kzc.values import Outcome, Run


@dataclass(frozen=True)
class Streamed:
    """What a stream tells: the run as far as it came, and the folder that its logs are in."""

    run: Run
    folder: Path


class Stream:
    """The writing end. Raises HostError where the disk refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def header(self, run: Run, folder: Path) -> None:
        """What is known of the run itself."""
        self._write({"run": header_to_json(run), "folder": str(folder)})

    def outcome(self, outcome: Outcome) -> None:
        """A stage has ended."""
        self._write({"outcome": outcome_to_json(outcome)})

    def _write(self, value: dict[str, Any]) -> None:
        with disk.blamed(self._path), self._path.open("ab") as file:
            file.write(json.dumps(value).encode() + b"\n")


def read_stream(path: Path) -> Streamed | None:
    """What a stream tells so far; None where no run had begun, or the file is none."""
    found: Streamed | None = None
    outcomes: list[Outcome] = []
    for line in path.read_bytes().split(b"\n") if path.is_file() else ():
        try:
            value = json.loads(line)
            if "outcome" in value:
                outcomes.append(outcome_from_json(value["outcome"]))
            else:
                found = Streamed(header_from_json(value["run"]), Path(value["folder"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return replace(found, run=replace(found.run, outcomes=tuple(outcomes))) if found else None
