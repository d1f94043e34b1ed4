# SPDX-License-Identifier: GPL-2.0-only
"""A lab machine's part is played by a first-level guest that was started apart from kzc."""

import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kzc.guest import first_level, session
from kzc.guest.accelerator import probe
from kzc.guest.argv import GuestSpec
from kzc.guest.session import Guest
from kzc.hosts.local import local_host
from kzc.jobs.workshop import find_vng
from kzc.proc import LocalRunner
from kzc.settings import load_settings
from kzc.values import Ended, Limits
from tests.vm.conftest import SERIES, TRANSFER, TREE, Kzc

pytestmark = [pytest.mark.vm, pytest.mark.full]

CONFIG = """
Host lab
    HostName 127.0.0.1
    Port {port}
    User root
    IdentityFile {key}
"""


def accelerator() -> str:
    """What guests of this machine run with."""
    settings = load_settings({}, Path.cwd())
    return probe(settings.qemu, settings.cache, LocalRunner()).kind


@contextmanager
def lab(image: str, folder: Path, home: Path, *, memory: int = 2560) -> Iterator[Guest]:
    """A guest with sshd, known as `lab` to the ssh config of `home`; its host key is not known."""
    spec = GuestSpec("vng", Path(image), accelerator(), memory=memory, vng=find_vng())
    boot = Limits(120, 300)
    runner = LocalRunner()
    with (
        local_host(runner) as here,
        session.boot(first_level.reachable(spec), folder, here, boot) as guest,
    ):
        assert guest.booted.ended is Ended.EXIT, guest.booted
        keys = first_level.make_keys(home, runner)
        port = first_level.serve(guest, keys, 4)
        (home / ".ssh").mkdir(mode=0o700)
        (home / ".ssh" / "config").write_text(CONFIG.format(port=port, key=keys.client))
        yield guest


def attended(process: subprocess.Popen[str], guest: Guest) -> tuple[str, str]:
    """What the program printed; the guest's console is read all the while."""
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(process.communicate()))
    reader.start()
    while reader.is_alive():
        guest.loop.turn(0.2)
    return said[0], said[1]


def test_a_pair_runs_on_a_machine_over_ssh(kzc: Kzc, built: str, tmp_path: Path) -> None:
    folder, home = tmp_path / "lab", tmp_path / "home"
    folder.mkdir()
    home.mkdir(mode=0o700)
    kzc.env["XDG_CACHE_HOME"] = kzc.env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kzc.env["HOME"] = str(home)
    what = ("run", SERIES, "--tree", TREE, "--suite", "vsock")
    command = (*what, "--topology", "pair", "--host", "ssh://lab")
    # of its /tmp what it made itself: below that it sees this machine's, where kzc is at work
    look = "ls -d /run/tmp/virtme_rw_overlay*/upper/kzc-* 2>/dev/null; pidof qemu-system-x86_64"
    with lab(built, folder, home) as guest:
        out, err = attended(kzc.start(*command), guest)
        assert "host key" in out + err  # nobody to ask, so the unknown key ends it
        assert guest.run("mkdir /tmp/kzc-seen", Limits(60, 60)).status == 0
        assert len(guest.run(look, Limits(60, 60)).output) == 1  # so it is the right place
        assert guest.run("rmdir /tmp/kzc-seen", Limits(60, 60)).status == 0
        process = kzc.start(*command, "--accept-host-key")
        out, err = attended(process, guest)
        assert process.returncode == 0, out + err
        end = time.monotonic() + 60  # the keeper there sees only that the connection has ended
        while (left := guest.run(look, Limits(60, 60)).output) and time.monotonic() < end:
            time.sleep(1)
        assert left == ()
    outcome = next(o for o in kzc.report()["outcomes"] if o["stage"] == "test")
    assert outcome["detail"]["topology"] == "pair"
    assert {case["verdict"] for case in outcome["cases"]} <= {"pass", "skip"}
    assert len([case for case in outcome["cases"] if case["name"].startswith("G2H/")]) >= 30


def test_four_runs_side_by_side_on_one_machine(kzc: Kzc, built: str, tmp_path: Path) -> None:
    """Each has CIDs, ports, names and folders of its own, on both ends."""
    if accelerator() != "kvm":
        pytest.skip("QEMU's emulated SVM dies with several guests: test_nested.py has four hosts")
    folder, home = tmp_path / "lab", tmp_path / "home"
    folder.mkdir()
    home.mkdir(mode=0o700)
    kzc.env["XDG_CACHE_HOME"] = kzc.env.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    kzc.env["HOME"] = str(home)
    command = ("run", SERIES, "--tree", TREE, "--suite", str(TRANSFER))
    pair = (*command, "--topology", "pair", "--host", "ssh://lab", "--accept-host-key")
    with lab(built, folder, home, memory=4096) as guest:
        processes = [kzc.start(*pair) for _ in range(4)]
        said = [attended(process, guest) for process in processes]
    for process, (out, err) in zip(processes, said, strict=True):
        assert process.returncode == 0, out + err
    assert [outcome["verdict"] for outcome in kzc.outcomes("test")] == ["pass"] * 4
    assert len({outcome["detail"]["cid"] for outcome in kzc.outcomes("boot")}) == 4
