# SPDX-License-Identifier: GPL-2.0-only
"""Files to and from a host."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.hosts.ssh import SshHost


def test_a_file_is_there_by_its_contents(host: SshHost, tmp_path: Path) -> None:
    file = tmp_path / "bz Image"
    file.write_bytes(os.urandom(300000))
    there = host.put(file)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert there == host.folder / "by-hash" / digest / "bz Image"
    assert there.read_bytes() == file.read_bytes()
    assert not os.access(there, os.X_OK)


def test_the_same_contents_are_sent_once(host: SshHost, tmp_path: Path) -> None:
    file, same = tmp_path / "one", tmp_path / "two"
    for path in (file, same):
        path.write_text("contents")
    there = host.put(file)
    there.write_text("changed there")
    assert host.put(file) == there
    assert there.read_text() == "changed there"
    also = host.put(same)
    assert also.name == "two"
    assert also.read_text() == "changed there"
    file.write_text("other contents")
    assert host.put(file).read_text() == "other contents"


def test_a_program_can_be_run_there(host: SshHost, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho ran\n")
    assert not os.access(host.put(program), os.X_OK)
    program.chmod(0o700)
    assert host.runner.capture([str(host.put(program))]).stdout == "ran\n"


def test_a_file_comes_back_whole_or_not_at_all(host: SshHost, tmp_path: Path) -> None:
    there, here = host.folder / "made", tmp_path / "here"
    host.runner.capture(["cp", "/dev/stdin", str(there)], stdin=b"\0made there\xff")
    host.get(there, here)
    assert here.read_bytes() == b"\0made there\xff"
    with pytest.raises(HostError, match=r"absent of .* could not be copied"):
        host.get(host.folder / "absent", tmp_path / "absent")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here"]


def test_what_is_not_there_cannot_be_sent(host: SshHost, tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(HostError, match="could not be copied"):
            host.put(path)
