# SPDX-License-Identifier: GPL-2.0-only
"""Guests that go wrong: each fault gets its verdict and a signature, what was found out before
stays, both logs are there, and no process or file is left.

The kernel is one that goes wrong when it is asked to (tests/data/faults/provoke). Faults that it
survives share a guest.
"""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kzc.shared import shared_folder
from tests.vm.conftest import FAULTS, SERIES, TREE, Kzc, interrupt_when

pytestmark = pytest.mark.vm

PROVOKE = (str(FAULTS / "provoke"), "--tree", TREE)
SOURCE = "net/core/kzc_provoke.c"
GENTLE = {
    "warn": ("pass", "warning", "provoke_warn < "),
    "oops": ("crash", "null-dereference", "provoke_oops < "),
    "oom": ("crash", "oom", "handle_mm_fault"),
    "garbage": ("fail", "", ""),
    "full": ("infra", "disk-full", "no space left on /tmp"),
    "after": ("pass", "", ""),
}
DEADLY = {
    "lockup": "soft-lockup: provoke_lockup < ",
    "hung": "hung-task: provoke_hang < ",
}
CHECKED = {
    "memory": "kasan: provoke_kasan < ",
    "locks": "lockdep: ",
}


@contextmanager
def clean(home: Path) -> Iterator[Kzc]:
    """A kzc that has to leave nothing of its own behind but its runs."""
    home.mkdir(exist_ok=True)
    kzc = Kzc(home)
    # paths of sockets have to be short
    with tempfile.TemporaryDirectory() as scratch:
        kzc.env["TMPDIR"] = scratch
        yield kzc
        assert kzc.nothing_left(), kzc.left()
        assert os.listdir(scratch) == []


def outcome_of(report: dict[str, Any], suite: str) -> dict[str, Any]:
    found = [o for o in report["outcomes"] if o["stage"] == "test" and o["subject"] == suite]
    assert len(found) == 1
    return dict(found[0])


def verdicts(test: dict[str, Any]) -> dict[str, str]:
    return {case["name"]: case["verdict"] for case in test["cases"]}


def has_both_logs(kzc: Kzc, suite: str) -> bool:
    logs = [
        next(kzc.data.glob(f"runs/*/logs/test-{suite}/{n}.log")) for n in ("console", "control")
    ]
    return all(log.stat().st_size for log in logs)


@pytest.fixture(scope="session")
def provoked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kzc]:
    """A finished run of all that goes wrong without the help of the debug profile."""
    with clean(tmp_path_factory.mktemp("provoked")) as kzc:
        suites = [word for name in ("gentle", *DEADLY) for word in ("-s", str(FAULTS / name))]
        done = kzc("run", *PROVOKE, *suites)
        assert done.code == 1, done.said
        (kzc.data / "said").write_text(done.said)
        yield kzc


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kzc]:
    """The same with the debug profile, of what that alone sees."""
    with clean(tmp_path_factory.mktemp("checked")) as kzc:
        done = kzc("run", *PROVOKE, "--profile", "debug", "-s", str(FAULTS / "checked"))
        assert done.code == 1, done.said
        yield kzc


@pytest.mark.xdist_group("provoked")
@pytest.mark.parametrize("fault", GENTLE)
def test_a_guest_that_goes_on(provoked: Kzc, fault: str) -> None:
    test = outcome_of(provoked.report(), "gentle")
    verdict, kind, signature = GENTLE[fault]
    assert verdicts(test)[fault] == verdict
    said = [f for f in test["detail"]["findings"] if f" during gentle/{fault}: " in f]
    assert [f.partition(" during ")[0] for f in said] == [kind] * bool(kind)
    assert all(signature in f.rpartition("[")[2] for f in said)


@pytest.mark.xdist_group("provoked")
def test_the_whole_of_a_guest_that_goes_on(provoked: Kzc) -> None:
    test = outcome_of(provoked.report(), "gentle")
    assert test["verdict"] == "crash"
    assert test["detail"]["signature"].startswith("warning: provoke_warn < ")
    assert test["detail"]["during"] == "gentle/warn"
    assert has_both_logs(provoked, "gentle")


@pytest.mark.xdist_group("provoked")
@pytest.mark.parametrize("fault", DEADLY)
def test_a_lockup_ends_the_guest(provoked: Kzc, fault: str) -> None:
    test = outcome_of(provoked.report(), fault)
    assert verdicts(test) == {"before": "pass", fault: "crash", "after": "not_run"}
    assert test["verdict"] == "crash"
    assert test["detail"]["signature"].startswith(DEADLY[fault])
    assert test["detail"]["ended"] == "panic"
    assert has_both_logs(provoked, fault)


@pytest.mark.xdist_group("provoked")
def test_reports_show_the_line_of_the_source(provoked: Kzc) -> None:
    for subject, frame in (("gentle", "provoke_warn"), ("hung", "provoke_hang")):
        detail = outcome_of(provoked.report(), subject)["detail"]
        assert any(f"{frame} ({SOURCE}:" in text for text in detail["decoded"]), detail
        assert not any(f"({SOURCE}" in text for text in detail["excerpt"])
    for form in ("text", "markdown"):
        assert f"({SOURCE}:18)" in provoked("report", "--format", form).out


@pytest.mark.xdist_group("provoked")
def test_garbage_reaches_no_terminal_and_no_report(provoked: Kzc) -> None:
    shown = (provoked.data / "said").read_text()
    shown += "".join(provoked("report", "--format", f).out for f in ("text", "markdown", "junit"))
    odd = {letter for letter in shown if not letter.isprintable() and letter != "\n"}
    assert odd == set()
    assert "in the output" in shown
    raw = next(provoked.data.glob("runs/*/logs/test-gentle/console.log")).read_bytes()
    assert b"\x1b[2J\x1b]0;owned\a" in raw


def own_suite(folder: Path, name: str, text: str) -> Path:
    """A suite's folder with this manifest."""
    (folder / name).mkdir()
    (folder / name / "suite.toml").write_text(text)
    return folder / name


def machine_of(kzc: Kzc) -> int:
    """The process id of the QEMU that kzc runs its suite in."""
    marker = f"KZC_DATA={kzc.data}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            ours = marker in (entry / "environ").read_bytes().split(b"\0")
            if ours and (entry / "exe").readlink().name.startswith("qemu-system"):
                return int(entry.name)
        except OSError:
            continue
    pytest.fail("there is no QEMU")


@pytest.mark.full
@pytest.mark.parametrize("kind", ["mini", "vng"])
def test_qemu_is_killed_or_stopped(tmp_path: Path, built: str, kind: str) -> None:
    signals = {"killed": signal.SIGKILL, "stalled": signal.SIGSTOP}
    text = (FAULTS / "hangs" / "suite.toml").read_text()
    suite = own_suite(tmp_path, "hangs", text.replace('guest = "mini"', f'guest = "{kind}"'))
    with clean(tmp_path / "killed") as killed, clean(tmp_path / "stalled") as stalled:
        both = {"killed": killed, "stalled": stalled}
        words = ("run", SERIES, "--tree", TREE, "--suite", str(suite))
        started = {ended: kzc.start(*words) for ended, kzc in both.items()}
        for ended, kzc in both.items():
            hit_when_it_hangs(kzc, started[ended], signals[ended])
        began = time.monotonic()
        for ended, kzc in both.items():
            out, err = started[ended].communicate()
            assert started[ended].returncode == 3, out + err
            test = outcome_of(kzc.report(), "hangs")
            assert verdicts(test) == {"stuck": "infra", "after": "not_run"}
            assert (test["verdict"], test["detail"]["ended"]) == ("infra", ended)
            assert test["detail"]["signature"] == f"{ended}: stuck"
            assert has_both_logs(kzc, "hangs")
        assert time.monotonic() - began < 120


def hit_when_it_hangs(kzc: Kzc, process: Any, number: signal.Signals) -> None:
    def seen() -> bool:
        logs = kzc.data.glob("runs/*/logs/test-hangs/console.log")
        return any(b"kzc: begin hangs/stuck" in path.read_bytes() for path in logs)

    interrupt_when(process, seen, signal.Signals(signal.SIGCONT))
    os.kill(machine_of(kzc), number)


def test_one_end_of_vsock_test_dies_and_a_port_is_taken(tmp_path: Path, built: str) -> None:
    ground = (shared_folder("selftests") / "vsock" / "suite.toml").read_text()
    ground = ground.partition("[[commands]]")[0].replace('name = "vsock"', 'name = "dies"', 1)
    commands = (FAULTS / "dies" / "commands.toml").read_text()
    folder = own_suite(tmp_path, "dies", ground + commands)
    with clean(tmp_path / "home") as kzc:
        done = kzc("run", SERIES, "--tree", TREE, "--suite", str(folder))
        assert done.code == 1, done.said
        test = outcome_of(kzc.report(), "dies")
        assert has_both_logs(kzc, "dies")
    assert test["verdict"] == "crash"
    port, ends = test["cases"][:3], test["cases"][3:]
    assert [case["verdict"] for case in port] == ["pass", "pass", "skip"]
    names = [case["name"] for case in ends]
    again = names.index(names[0], 1)
    for dead, cases in (("server", ends[:again]), ("client", ends[again:])):
        # the killer looks ten times a second: a quick guest is some tests further by then
        before = [case["verdict"] for case in cases[:-1]]
        assert len(before) >= 4
        assert set(before) == {"pass"}
        assert cases[-1]["verdict"] == "crash"
        assert f"{dead}: " in cases[-1]["reason"]
        assert "signal 9" in cases[-1]["reason"]
    assert test["detail"]["signature"] == f"crash: {names[again - 1]}"
    assert test["seconds"] < 60


@pytest.mark.full
@pytest.mark.xdist_group("checked")
@pytest.mark.parametrize("case", CHECKED)
def test_what_only_the_checkers_see_fails_a_suite_whose_cases_pass(checked: Kzc, case: str) -> None:
    test = outcome_of(checked.report(), "checked")
    assert set(verdicts(test).values()) == {"pass"}
    assert test["verdict"] == "fail"
    found = [f for f in test["detail"]["findings"] if f" during checked/{case}: " in f]
    assert CHECKED[case] in found[0].rpartition("[")[2]
    assert has_both_logs(checked, "checked")
