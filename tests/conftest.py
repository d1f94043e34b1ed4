# SPDX-License-Identifier: GPL-2.0-only
"""What every test stands on: signals that do what a terminal's would, sources compiled once."""

import os
import signal
import sys
from collections.abc import Iterator

import pytest

# without, each worker compiles all tests anew, and each `kzc` that a test starts all of kzc
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> Iterator[None]:
    """A shell's background job, CI's too, is told to ignore Ctrl-C and Ctrl-\\, and tells its
    children so."""
    before = {
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
        signal.SIGQUIT: signal.signal(signal.SIGQUIT, signal.SIG_DFL),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)
