# SPDX-License-Identifier: GPL-2.0-only
"""A runner without a guard in front of each command: for tests that start many small commands and
are about what these do. What happens to commands when kzc ends is tests/unit/test_guard.py's."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from typing import Unpack

from kzc.errors import CommandFailed, HostError
from kzc.proc import Done, How, LocalRunner

_GUARDED = LocalRunner.capture


def capture(runner: LocalRunner, argv: Sequence[str], **how: Unpack[How]) -> Done:
    """What `LocalRunner.capture` does, without the guard."""
    began = time.monotonic()
    env, stdin, timeout = how.get("env"), how.get("stdin"), how.get("timeout")
    try:
        done = subprocess.run(
            argv,
            cwd=how.get("cwd"),
            env=None if env is None else {**os.environ, **env},
            input=b"" if stdin is None else stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise HostError(f"{argv[0]} did not end within {timeout} s") from None
    except OSError:  # what cannot be started is told as ever
        return _GUARDED(runner, argv, **how)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    if how.get("check", True) and done.returncode:
        raise CommandFailed(argv, done.returncode, tail=(err or out).rstrip())
    seconds = time.monotonic() - began
    return Done(tuple(argv), done.returncode, out, err, seconds, done.stdout)


class PlainRunner(LocalRunner):
    """Commands that run to their end are started by hand; the others as ever."""

    capture = capture


RUNNER = PlainRunner()
