# SPDX-License-Identifier: GPL-2.0-only
"""The program as a user runs it, on a real kernel.

Trees, compiler cache and kernels are the user's own cache, because they are named by content;
runs and settings are the test's. Tests run side by side. Those of the group `slot` build or apply
in the one worktree that everything is made in already: two at once would have to make another. A
group shares what is made for it, too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from kzc.results.codec import outcome_to_json
from kzc.results.store import Store

TREE = "debian:linux-source-6.12"
SERIES = "scm-zc-notification"
TRANSPORTS = ("tcp4", "tcp6", "udp4", "udp6", "vsock", "vsock-seqpacket")
FAULTS = Path(__file__).parents[1] / "data" / "faults"
TRANSFER = Path(__file__).parents[1] / "data" / "pairs" / "transfer"

# what takes longest goes first, so that no worker is left with it at the end
FIRST = (
    "test_the_series_passes_on_debians_kernel",
    "test_the_patch_that_breaks_a_case_is_named",
    "test_vsock_passes_between_two_patched_kernels",
    "test_a_plan_is_measured_told_and_compared_with_itself",
)


@dataclass(frozen=True)
class Finished:
    """A finished kzc."""

    code: int
    out: str
    err: str

    @property
    def said(self) -> str:
        return self.out + self.err


class Kzc:
    """Runs kzc with data and configuration folders of its own."""

    def __init__(self, home: Path) -> None:
        self.data = home / "data"
        self.env = {
            **os.environ,
            "KZC_DATA": str(self.data),
            "XDG_CONFIG_HOME": str(home / "config"),
            "COLUMNS": "160",
        }

    def start(self, *args: str, cwd: Path | None = None) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "kzc", *args],
            env=self.env,
            cwd=cwd or self.data.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def __call__(self, *args: str, cwd: Path | None = None) -> Finished:
        process = self.start(*args, cwd=cwd)
        out, err = process.communicate()
        done = Finished(process.returncode, out, err)
        assert "Traceback" not in done.said, done.said
        return done

    def report(self) -> dict[str, Any]:
        """The newest run as JSON."""
        found: dict[str, Any] = json.loads(self("report", "--format", "json").out)
        return found

    def outcomes(self, stage: str) -> list[dict[str, Any]]:
        """What all runs found in that stage."""
        store = Store(self.data)
        loaded = [store.load(run.id) for run in reversed(store.list())]
        found = [outcome for run in loaded for outcome in run.outcomes if outcome.stage == stage]
        return [outcome_to_json(outcome) for outcome in found]

    def left(self) -> list[str]:
        """Processes that still run in this kzc's name."""
        marker = f"KZC_DATA={self.data}".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if marker in (entry / "environ").read_bytes().split(b"\0"):
                    found.append((entry / "cmdline").read_bytes().replace(b"\0", b" ").decode())
            except OSError:
                continue
        return found

    def nothing_left(self, within: float = 5.0) -> bool:
        deadline = time.monotonic() + within
        while self.left() and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.left()


def interrupt_when(
    process: subprocess.Popen[str], seen: Callable[[], bool], number: signal.Signals
) -> None:
    """Send a signal as soon as `seen` says so; fails when it never does."""
    deadline = time.monotonic() + 600
    while not seen():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            out, err = process.communicate()
            pytest.fail(f"kzc never came to that point:\n{out}\n{err}")
        time.sleep(0.05)
    process.send_signal(number)


@pytest.fixture
def kzc(tmp_path: Path) -> Iterator[Kzc]:
    program = Kzc(tmp_path)
    yield program
    assert program.nothing_left(), program.left()


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The series' kernel is in the cache when this is asked for; returns the image's path."""
    # with a cold cache one worker builds it, and the other finds it built
    with FileLock(tmp_path_factory.getbasetemp().parent / "kzc-built.lock"):
        done = Kzc(tmp_path_factory.mktemp("built"))("build", SERIES, "--tree", TREE)
    assert done.code == 0, done.said
    return done.out.splitlines()[-1]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first, then those that have to wait for each other."""

    def place(item: pytest.Item) -> int:
        name = item.name.partition("[")[0]
        if name in FIRST:
            return FIRST.index(name)
        return len(FIRST) + (item.get_closest_marker("xdist_group") is None)

    items.sort(key=place)
