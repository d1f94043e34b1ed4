# SPDX-License-Identifier: GPL-2.0-only
"""What every test stands on: signals that do what a terminal's would."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """A shell's background job, CI's too, is told to ignore Ctrl-C and tells its children so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
