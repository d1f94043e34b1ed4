# SPDX-License-Identifier: GPL-2.0-only
"""What sets faults up in a guest, run by real shells against a debugfs of plain files."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.shared import shared_folder
from kzc.suites import faults
from kzc.suites.faults import KINDS, load_fault_rules

NO_NEIGHBOUR = "/udp6 # line 196: send(fd, buf, len, flags): Invalid argument"
RULES = load_fault_rules(shared_folder("selftests") / "faults.toml")
FILES = ("require-start", "times", "interval", "probability", "task-filter")
SYMBOLS = """\
ffffffff81000000 T other_sendmsg
ffffffff81f82c70 t sock_close
ffffffff81f82c90 T sock_alloc_file
ffffffff81f83000 T in_between
ffffffff81f91cc0 T __sys_recvmsg
ffffffff81f91cc0 T an_alias
ffffffff81f92000 T first_of_another_file
ffffffff82000000 T __sys_sendmsg_of_something
"""
Shell = Callable[[str], "subprocess.CompletedProcess[str]"]


@pytest.fixture
def debugfs(tmp_path: Path) -> Path:
    for kind in KINDS:
        (tmp_path / "debug" / kind).mkdir(parents=True)
        for name in FILES:
            (tmp_path / "debug" / kind / name).write_text("0\n")
    (tmp_path / "kallsyms").write_text(SYMBOLS)
    programs = tmp_path / "bin"
    programs.mkdir()
    shutil.copy2("/bin/sleep", programs / "sleeper")
    (programs / "prog").write_text('#!/bin/sh\necho "prog $*"\n')
    (programs / "prog").chmod(0o755)
    (programs / "data.sh").write_text("x\n")
    return tmp_path / "debug"


@pytest.fixture(params=["sh", "busybox"])
def shell(request: pytest.FixtureRequest, tmp_path: Path, debugfs: Path) -> Shell:
    """Runs a text for a guest with its paths turned to the test's."""
    places = {
        "/sys/kernel/debug": str(debugfs),
        "/proc/kallsyms": str(tmp_path / "kallsyms"),
        "/proc/self/make-it-fail": str(tmp_path / "made-to-fail"),
        faults.FOLDER: str(tmp_path / "faulty"),
        "/tmp/kzc-": f"{tmp_path}/kzc-",
    }
    first = ["busybox", "sh"] if request.param == "busybox" else ["sh"]
    if not shutil.which(first[0]):
        pytest.skip("no busybox here")

    def run(text: str) -> subprocess.CompletedProcess[str]:
        for guest, here in places.items():
            text = text.replace(guest, here)
        return subprocess.run([*first, "-c", text], capture_output=True, text=True, check=False)

    return run


def prepared(shell: Shell, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    return shell(faults.prepare(str(tmp_path / "bin"), ("prog", "sleeper", "absent")))


def test_only_functions_of_the_socket_layer_count(
    shell: Shell, tmp_path: Path, debugfs: Path
) -> None:
    done = prepared(shell, tmp_path)
    assert done.returncode == 0, done.stdout
    for kind in KINDS:
        wanted = {"task-filter": "Y", "stacktrace-depth": "32", "probability": "0"}
        wanted |= {"require-start": "0xffffffff81f82c70", "require-end": "0xffffffff81f92000"}
        assert {name: (debugfs / kind / name).read_text().strip() for name in wanted} == wanted
    assert (debugfs / "failslab" / "ignore-gfp-wait").read_text() == "N\n"
    assert (debugfs / "fail_page_alloc" / "min-order").read_text() == "0\n"


def test_a_suite_names_where_faults_may_be(shell: Shell, tmp_path: Path, debugfs: Path) -> None:
    programs = str(tmp_path / "bin")
    done = shell(faults.prepare(programs, ("prog",), ("sock_alloc_file", "in_between")))
    assert done.returncode == 0, done.stdout
    found = [(debugfs / "failslab" / f"require-{end}").read_text() for end in ("start", "end")]
    assert found == ["0xffffffff81f82c90\n", "0xffffffff81f91cc0\n"]
    done = shell(faults.prepare(programs, ("prog",), ("not_there",)))
    assert (done.returncode, "has none of not_there" in done.stdout) == (1, True)


def test_a_suite_names_where_no_fault_may_be(shell: Shell, tmp_path: Path, debugfs: Path) -> None:
    programs = str(tmp_path / "bin")
    done = shell(faults.prepare(programs, ("prog",), spares=("in_between",)))
    assert done.returncode == 0, done.stdout
    for kind in KINDS:
        ends = ("require-start", "require-end", "reject-start", "reject-end")
        assert [(debugfs / kind / end).read_text().strip() for end in ends] == [
            "0xffffffff81f82c70",
            "0xffffffff81f92000",
            "0xffffffff81f83000",
            "0xffffffff81f91cc0",
        ]
    done = shell(faults.prepare(programs, ("prog",), spares=("not_there",)))
    assert (done.returncode, "has none of not_there" in done.stdout) == (1, True)


def test_programs_are_wrapped_and_the_rest_is_there(shell: Shell, tmp_path: Path) -> None:
    prepared(shell, tmp_path)
    faulty = tmp_path / "faulty"
    assert (faulty / "data.sh").read_text() == "x\n"
    done = subprocess.run([faulty / "prog", "a b", "c"], capture_output=True, text=True, check=True)
    assert done.stdout == "prog a b c\n"
    assert (tmp_path / "made-to-fail").read_text() == "1\n"
    assert not (faulty / "absent").exists()


def test_a_kernel_without_faults_is_told(shell: Shell, tmp_path: Path, debugfs: Path) -> None:
    (debugfs / "fail_usercopy" / "require-start").unlink()
    done = prepared(shell, tmp_path)
    assert done.returncode == 1
    assert done.stdout.startswith("this kernel has no ")
    assert "fail_usercopy/require-start" in done.stdout


@pytest.mark.parametrize("symbols", ["", SYMBOLS.replace("f", "0").replace("8", "0")])
def test_symbols_that_are_not_to_be_seen(shell: Shell, tmp_path: Path, symbols: str) -> None:
    hidden = [f"{'0' * 16} {line.partition(' ')[2]}\n" for line in symbols.splitlines()]
    (tmp_path / "kallsyms").write_text("".join(hidden))
    done = prepared(shell, tmp_path)
    assert done.returncode == 1
    assert "kallsyms" in done.stdout


def test_a_trial_counts_what_was_injected_and_keeps_the_status(
    shell: Shell, tmp_path: Path, debugfs: Path
) -> None:
    prepared(shell, tmp_path)
    times = debugfs / "failslab" / "times"
    run = f"cat {debugfs}/failslab/interval; prog=$(cat {times}); echo $((prog - 3)) >{times}"
    done = shell(faults.trial(f"{run}\nprintf torn; exit 7", 13, 60))
    assert done.returncode == 7
    said = faults.read(done.stdout.splitlines())
    assert said.counts == {"failslab": 3, "fail_page_alloc": 0, "fail_usercopy": 0}
    assert [line for line in said.lines if line] == ["13", "torn"]
    assert said.hung == ()
    assert {(debugfs / kind / "probability").read_text() for kind in KINDS} == {"0\n"}


def test_a_program_that_hangs_is_killed_and_named(shell: Shell, tmp_path: Path) -> None:
    prepared(shell, tmp_path)
    done = shell(faults.trial(f"{tmp_path}/faulty/sleeper 60", 13, 0.6))
    said = faults.read(done.stdout.splitlines())
    assert done.returncode == 137
    assert [words.partition(":")[0] for words in said.hung] == ["sleeper"]
    assert said.counts is not None


def test_output_without_a_count_has_none() -> None:
    assert faults.read(["a", "kzc: fault"]).counts is None


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("client: send: Cannot allocate memory", "Cannot allocate memory"),
        ("unexpected connect(2) errno 12", "errno 12"),
        ("unexpected connect(2) errno 121", ""),
        ("expected 'errno' == 0, got 12", "errno' == 0, got 12"),
        ("expected 'errno' == 12, got 22", ""),
        ("not ok 3 sendmsg: ENOBUFS", "ENOBUFS"),
        ("EINVAL: Invalid argument", ""),
        ("send: Network is unreachable", "Network is unreachable"),
        ("recv: ret=4294967275 != 65435", "recv: ret=4294967275 != "),
        ("not ok 1 x # line 198: 26 bytes sent of 104", "line 198: 26 bytes sent of 104"),
        (f"not ok 1 looped{NO_NEIGHBOUR}", NO_NEIGHBOUR),
    ],
)
def test_errors_that_a_fault_explains(line: str, error: str) -> None:
    assert RULES.error(["nothing", line]) == error


def test_a_short_message_is_explained_by_none() -> None:
    assert RULES.error([NO_NEIGHBOUR.replace("udp6", "udp4")]) == ""
    assert RULES.error(["recv: ret=65000 != 65435", "seed 1, step 2: 8 bytes sent of 9"]) == ""


@pytest.mark.parametrize(
    "line",
    [
        "Full peek data mismatch",
        "Message bounds broken",
        "unexpected byte read x",
        "# wrong data at 17",
        "invalid pattern for 'valid_buf' at 1, expected 0, got 1",
    ],
)
def test_words_for_wrong_data(line: str) -> None:
    assert RULES.wrong_data(["send: Bad address", line]) == line
    assert not RULES.wrong_data(["send: Bad address", "unexpected errno"])


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("'ENOMEM'", "'ENOSUCH'", "there is no error 'ENOSUCH'"),
        ("[13, 251, 5003]", "[]", "every: "),
        ("[13, 251, 5003]", "[0]", "every.0: "),
        ("excused", "excuses", "excuses: Extra"),
    ],
)
def test_bad_rules_are_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    text = (shared_folder("selftests") / "faults.toml").read_text()
    (tmp_path / "faults.toml").write_text(text.replace(old, new))
    with pytest.raises(UsageError, match=said):
        load_fault_rules(tmp_path / "faults.toml")
