# SPDX-License-Identifier: GPL-2.0-only
"""This machine as a host."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.hosts.host import Host
from kzc.hosts.local import local_host
from kzc.proc import LocalRunner


def test_this_machine_is_a_host(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("text")
    with local_host(LocalRunner()) as here:
        host: Host = here
        assert (host.name, host.alive()) == ("this machine", True)
        assert host.folder.stat().st_mode & 0o777 == 0o700
        assert host.put(file) == file
        host.get(file, tmp_path / "copy")
        assert (tmp_path / "copy").read_text() == "text"
        assert host.runner.capture(["echo", "here"]).stdout == "here\n"
        with pytest.raises(HostError, match="is not there"):
            host.put(tmp_path / "absent")
        with pytest.raises(HostError, match="could not be copied"):
            host.get(tmp_path / "absent", tmp_path / "none")
    assert not host.folder.exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "file"]


def test_a_socket_whose_path_is_too_long_says_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    with local_host(LocalRunner()) as here:
        with pytest.raises(HostError, match="107 bytes") as raised, here.listen(folder / "s"):
            pass
        assert "TMPDIR" in raised.value.hint
        path = here.folder / ("s" * (107 - len(str(here.folder)) - 1))
        with here.listen(path):  # the longest that there can be
            assert path.is_socket()
