# SPDX-License-Identifier: GPL-2.0-only
"""`--stream FILE`: a screen before the screen, which writes down what has ended."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kzc.jobs.workshop import Screen
from kzc.results.store import OpenRun
from kzc.results.stream import Stream
from kzc.values import Case, Outcome


class _Both:
    """Shows everything on a screen, and puts outcomes into a stream first."""

    def __init__(self, screen: Screen, stream: Stream) -> None:
        self._screen = screen
        self._stream = stream

    def step(self, text: str) -> None:
        self._screen.step(text)

    def progress(self, text: str, fraction: float | None) -> None:
        self._screen.progress(text, fraction)

    def case(self, case: Case) -> None:
        self._screen.case(case)

    def outcome(self, outcome: Outcome) -> None:
        self._stream.outcome(outcome)
        self._screen.outcome(outcome)


@contextmanager
def streamed(screen: Screen, path: Path | None, run: OpenRun) -> Iterator[Screen]:
    """The screen to work with; the stream tells of the run before and, however it ends, after."""
    if path is None:
        yield screen
        return
    stream = Stream(path)
    stream.header(run.run, run.folder)
    try:
        yield _Both(screen, stream)
    finally:
        stream.header(run.run, run.folder)
