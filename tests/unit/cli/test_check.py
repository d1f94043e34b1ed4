# SPDX-License-Identifier: GPL-2.0-only
"""`kzc check` as b4 calls it: one mail on standard input, its format alone on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from kzc.git import Git
from tests.fakelinux import commit, edit
from tests.fakelinux.buildable import make_buildable
from tests.plain import RUNNER
from tests.unit.cli.inside import kzc


def folders(tmp_path: Path) -> dict[str, str]:
    return {"KZC_CACHE": str(tmp_path / "cache"), "KZC_DATA": str(tmp_path / "data")}


def test_a_mail_is_checked_on_the_parent_of_its_own_commit(tmp_path: Path) -> None:
    kernel = make_buildable(tmp_path / "linux")
    edit(kernel / "net/socket.c", "int socket_5;\n", "static int socket_5;\n")
    commit(kernel, "socket: hide five\n\nBecause.\n\nSigned-off-by: kzc <kzc@localhost>")
    # on top of this one the mail would not apply
    edit(kernel / "net/socket.c", "static int socket_5;\n", "long socket_5;\n")
    commit(kernel, "socket: widen five")
    git = Git(RUNNER, kernel)
    mail = git.run("format-patch", "-1", "--subject-prefix=PATCH net 2/7", "--stdout", "HEAD~1").raw
    # a process, so that what the commands below it write would be seen too
    done = subprocess.run(
        [sys.executable, "-m", "kzc", "check", "-", "--b4"],
        input=mail,
        cwd=kernel,
        env={**os.environ, **folders(tmp_path), "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    found = {entry["tool"]: entry["status"] for entry in json.loads(done.stdout)}
    assert found.pop("kzc sparse", "pass") == "pass"
    assert found == {
        "kzc apply": "pass",
        "kzc build": "pass",
        "kzc warnings": "fail",
        "kzc selftests": "pass",
        "kzc checkpatch": "pass",
        "kzc mail": "pass",
    }
    other = mail.replace(b"static int socket_5;", b"short socket_5;")
    told = kzc(folders(tmp_path), "check", "-", "--terse", cwd=kernel, mail=other)
    assert told.returncode == 0
    assert told.stderr == ""
    assert "ERROR: apply: conflict" in told.stdout
    assert "WARNING: build: it does not apply" in told.stdout


def test_what_is_no_patch_is_said_in_words(tmp_path: Path) -> None:
    env = folders(tmp_path)
    mail = b"Subject: [PATCH] a\n\nno diff\n"
    done = kzc(env, "check", "-", "--b4", cwd=tmp_path, mail=mail)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("kzc: standard input")
    # what the transfer broke is refused here as it is in a file
    flowed = (Path(__file__).parents[2] / "data/series/flowed.eml").read_bytes()
    done = kzc(env, "check", "-", cwd=tmp_path, mail=flowed)
    assert done.returncode == 2
    assert "flowed" in done.stderr
