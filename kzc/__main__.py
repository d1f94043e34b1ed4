# SPDX-License-Identifier: GPL-2.0-only
"""The program: parses the command line, does what it says, exits. Nobody else exits."""

from __future__ import annotations

import signal
import sys
from types import FrameType


def _terminated(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> None:
    """Entry point of the `kzc` command."""
    from kzc.cli.app import run

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _terminated)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
