# SPDX-License-Identifier: GPL-2.0-only
"""Locks beside folders: shared by users, refused to who wants to remove, freed by death."""

import signal
import subprocess
import sys
from pathlib import Path

from kzc.inuse import alone, holding, orphaned, owned, using

_HOLDER = """
import sys, time
from pathlib import Path
from kzc.inuse import using
with using(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def free(folder: Path) -> bool:
    with alone(folder) as mine:
        return mine


def test_users_share_and_nobody_else_gets_it(tmp_path: Path) -> None:
    folder = tmp_path / "kernel"
    with using(folder), using(folder):
        assert not free(folder)
    assert free(folder)
    assert list(tmp_path.iterdir()) == []


def test_what_is_held_is_held_until_the_end(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    with holding() as use:
        use(one)
        use(one)
        assert not free(one)
        assert free(other)
        use(other)
        assert not free(other)
    assert free(one)
    assert free(other)


def test_a_lock_whose_file_was_removed_is_taken_again(tmp_path: Path) -> None:
    folder = tmp_path / "kernel"
    with alone(folder) as mine:
        assert mine
    with using(folder):
        assert not free(folder)


def test_a_killed_user_is_none(tmp_path: Path) -> None:
    folder = tmp_path / "kernel"
    holder = subprocess.Popen(
        [sys.executable, "-c", _HOLDER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert not free(folder)
    holder.send_signal(signal.SIGKILL)
    holder.communicate()
    assert free(folder)


def test_a_lock_file_goes_with_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "run.lock"
    with owned(path):
        with orphaned(path) as dead:
            assert not dead
        assert path.exists()
    assert not path.exists()
    path.touch()
    with orphaned(path) as dead:
        assert dead
    assert not path.exists()
