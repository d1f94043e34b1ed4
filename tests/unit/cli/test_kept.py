# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ps`, `stop`, `shell` and `clean` as a user runs them; the terminal is a real one."""

import json
import os
import pty
import select
import signal
import socket
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from kzc.guest.loop import Loop
from kzc.guest.terminal import Terminal
from kzc.jobs.live import registered
from tests.unit.cli.inside import kzc

RUN = "20260101-120000-abcdef"


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    deep = tmp_path / ("d" * 80) / ("e" * 80)
    return {
        **os.environ,
        "KZC_DATA": str(deep),
        "KZC_CACHE": str(tmp_path / "cache"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COLUMNS": "160",
    }


@contextmanager
def kept(env: dict[str, str]) -> Iterator[tuple[socket.socket, list[tuple[int, int]]]]:
    """A run that keeps a guest, whose serial port is this test's; and the sizes it was told."""
    sizes: list[tuple[int, int]] = []
    guest, port = socket.socketpair()
    guest.settimeout(10)
    over = threading.Event()
    with ExitStack() as stack:
        live = stack.enter_context(registered(Path(env["KZC_DATA"]), RUN, ["kzc", "test", "vsock"]))
        name = stack.enter_context(live.machine("guest", "mini guest of \x1b]0;vsock"))
        loop = Loop()
        terminal = Terminal(port, loop, lambda *size: sizes.append(size))
        from kzc.jobs.keep import _listening

        server = stack.enter_context(_listening(live.sockets, "0"))
        loop.watch(server, lambda: terminal.admit(server))
        live.mark(name, kept=True, socket="0")

        def pump() -> None:
            while not over.is_set():
                loop.turn(0.05)

        thread = threading.Thread(target=pump)
        thread.start()
        try:
            yield guest, sizes
        finally:
            over.set()
            thread.join()
            terminal.close()
            loop.close()
            guest.close()


class Screen:
    """A `kzc` on a terminal of this test."""

    def __init__(self, env: dict[str, str], *words: str) -> None:
        self.master, self.slave = pty.openpty()
        termios.tcsetwinsize(self.slave, (37, 101))
        self.before = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kzc", *words],
            env=env,
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            start_new_session=True,
        )
        self.shown = b""

    def see(self, text: bytes) -> None:
        end = time.monotonic() + 20
        while text not in self.shown:
            if not select.select([self.master], [], [], max(0, end - time.monotonic()))[0]:
                pytest.fail(f"{text!r} never came: {self.shown!r}")
            self.shown += os.read(self.master, 4096)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def ends(self) -> int:
        code = self.process.wait(20)
        assert termios.tcgetattr(self.slave) == self.before
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)


@contextmanager
def on_screen(env: dict[str, str], *words: str) -> Iterator[Screen]:
    screen = Screen(env, *words)
    try:
        yield screen
    finally:
        screen.close()


def test_a_shell_types_shows_resizes_and_is_left(env: dict[str, str]) -> None:
    with kept(env) as (guest, sizes), on_screen(env, "shell") as screen:
        guest.sendall(b"kzc:~# ")
        screen.see(b"Ctrl-] leaves it running")
        screen.see(b"kzc:~# ")
        screen.type(b"ls\r\x03")
        keys = b""
        while len(keys) < 4:
            keys += guest.recv(100)
        assert keys == b"ls\r\x03"
        guest.sendall(b"\x1b[31mred")
        screen.see(b"\x1b[31mred")
        termios.tcsetwinsize(screen.slave, (20, 60))
        end = time.monotonic() + 10
        while len(sizes) < 2 and time.monotonic() < end:
            time.sleep(0.05)
        assert sizes == [(37, 101), (20, 60)]
        screen.type(b"\x1d")
        screen.see(b"kzc: left")
        assert screen.ends() == 0


def test_the_end_of_the_guest_ends_the_shell(env: dict[str, str]) -> None:
    with kept(env) as (guest, _), on_screen(env, "shell", "abcdef", "guest") as screen:
        screen.see(b"leaves it running")
        guest.sendall(b"prompt")
        screen.see(b"prompt")
        guest.shutdown(socket.SHUT_RDWR)
        screen.see(b"the guest has ended")
        assert screen.ends() == 0


def test_ps_says_what_runs_and_nothing_of_it_drives_the_terminal(env: dict[str, str]) -> None:
    assert kzc(env, "ps").stdout == "no kzc runs here\n"
    assert json.loads(kzc(env, "ps", "--json").stdout) == []
    with kept(env):
        table = kzc(env, "ps").stdout
        told = json.loads(kzc(env, "ps", "--json").stdout)
    assert RUN in table
    assert "kzc test vsock" in table
    assert "kept" in table
    assert "\x1b" not in table
    assert told[0]["pid"] == os.getpid()
    assert told[0]["kept"] is True
    assert told[0]["machines"][0]["name"] == "guest"


def test_a_shell_that_cannot_be_says_why(env: dict[str, str]) -> None:
    for words in (("shell",), ("shell", RUN)):
        done = kzc(env, *words)
        assert done.returncode == 2
    assert "--keep" in kzc(env, "shell").stderr
    with kept(env):
        assert "needs a terminal" in kzc(env, "shell").stderr
        assert "there are: guest" in kzc(env, "shell", RUN, "guest-7").stderr
        assert "you are on it" in kzc(env, "shell", RUN, "host").stderr
        assert RUN in kzc(env, "shell", "nothing").stderr
    with registered(Path(env["KZC_DATA"]), RUN, ["kzc"]):
        done = kzc(env, "shell", RUN)
        assert done.returncode == 2
        assert "keeps no machine" in done.stderr


def test_stop_ends_a_real_kzc_with_what_it_started(env: dict[str, str], tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from kzc.__main__ import _terminated;"
        "import signal; signal.signal(signal.SIGTERM, _terminated);"
        "from kzc.cli.words import spoken; from kzc.proc import LocalRunner;"
        "from kzc.jobs.live import registered\n"
        "def action():\n"
        f"    with registered(Path({env['KZC_DATA']!r}), {RUN!r}, ['kzc', 'run', 'x']):\n"
        "        print('up', flush=True)\n"
        "        LocalRunner().capture(['sleep', '4711.25'])\n"
        "sys.exit(spoken(action))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "up\n"
            done = kzc(env, "stop")
            assert done.returncode == 0, done.stderr
            assert done.stdout == f"{RUN} (kzc run x): stopped\n"
            assert process.wait(10) == 130
        finally:
            process.send_signal(signal.SIGKILL)
    found = subprocess.run(["pgrep", "-f", "^sleep 4711.25$"], check=False, capture_output=True)
    assert found.stdout == b""
    assert kzc(env, "stop").returncode == 2
    assert kzc(env, "stop", "--all").stdout == "no kzc runs here\n"
    assert kzc(env, "stop", "--all", RUN).returncode == 2


def test_clean_by_size(env: dict[str, str], tmp_path: Path) -> None:
    for number, name in enumerate(("old", "new")):
        folder = tmp_path / "cache/kernels" / name
        folder.mkdir(parents=True)
        (folder / "bzImage").write_bytes(bytes(3 << 20))
        os.utime(folder, (time.time() + number * 60,) * 2)
    done = kzc(env, "clean", "--size", "5M")
    assert done.returncode == 0, done.stderr
    assert "3 MiB freed" in done.stdout
    assert [path.name for path in (tmp_path / "cache/kernels").iterdir()] == ["new"]
    assert "0 MiB freed" in kzc(env, "clean").stdout
    for wrong in ("much", "5", "-5M", "\N{ARABIC-INDIC DIGIT FIVE}G"):
        refused = kzc(env, "clean", f"--size={wrong}")
        assert refused.returncode == 2
        assert "is no size" in refused.stderr
    assert (tmp_path / "cache/kernels/new").exists()
