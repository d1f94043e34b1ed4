# SPDX-License-Identifier: GPL-2.0-only
"""What every test stands on: signals that do what a terminal's would."""

import signal
from collections.abc import Iterator

import pytest


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
