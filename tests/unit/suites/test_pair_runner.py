# SPDX-License-Identifier: GPL-2.0-only
"""Suites on two ends: both directions, and either end dying, hanging or lying.

Both ends are shells on this machine; the programs talk over the control socket as vsock_test does.
"""

from __future__ import annotations

import json
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from kzc.settings import shared_folder
from kzc.suites.kernel_log import load_rules
from kzc.suites.manifest import Direction, Suite, load_suite
from kzc.suites.pair import Pair
from kzc.suites.pair_runner import run_pairs
from kzc.suites.runner import Setting
from kzc.values import Ended, Outcome, Verdict
from tests.unit.suites.ends import ShellEnd, dead, free_port, make_pair

TALKER = Path(__file__).parents[2] / "data" / "suites" / "talker.py"
# a tenth of the time for everything: what hangs here is local
SETTING = Setting("", 0.1, {}, load_rules(shared_folder("selftests") / "kernel-log.toml"))
VSOCK = load_suite(shared_folder("selftests") / "vsock")
OOPS = "BUG: kernel NULL pointer dereference, address: 0000000000000008"


def suite(directions: Sequence[str] = ("H2G", "G2H"), **more: object) -> Suite:
    """vsock_test as the project's own manifest runs it, in one or both directions."""
    more["directions"] = tuple(Direction(name) for name in directions)
    entry = next(pair for pair in VSOCK.pairs if pair.name == "vsock_test")
    return VSOCK.model_copy(update={"pairs": (entry.model_copy(update=more),), "total": 100})


def scripts(server: str, client: str, **more: object) -> Suite:
    """A suite of two shell texts."""
    entry = {"name": "x", "server": server, "client": client, "parser": "exit", "planned": ["x"]}
    return Suite.model_validate(
        {"name": "s", "title": "t", "guest": "mini", "pairs": [{**entry, **more}]}
    )


def talker(end: ShellEnd, titles: Sequence[str], **do: str) -> None:
    """Give an end its vsock_test; `server_2="signal"` is what it does as server in test 2."""
    path = Path(end.folder) / "vsock_test"
    text = TALKER.read_text()
    path.write_text(
        f"#!/bin/sh\nexport KMSG='{end.log}'\n"
        f'exec {sys.executable} -I -S "$(dirname "$0")/talker.py" "$@"\n'
    )
    path.chmod(0o755)
    (Path(end.folder) / "talker.py").write_text(text)
    plan = {"titles": titles, "do": {key.replace("_", ":"): deed for key, deed in do.items()}}
    (Path(end.folder) / "talker.json").write_text(json.dumps(plan))


def run(pair: Pair, asked: Suite) -> Outcome:
    return run_pairs(asked, pair, SETTING)


def verdicts(outcome: Outcome) -> dict[str, Verdict]:
    return {case.name: case.verdict for case in outcome.cases}


def reason(outcome: Outcome, name: str) -> str:
    return next(case.reason for case in outcome.cases if case.name == name)


@pytest.fixture
def ends(tmp_path: Path) -> tuple[Pair, ShellEnd, ShellEnd]:
    return make_pair(tmp_path)


def test_both_directions(ends: tuple[Pair, ShellEnd, ShellEnd], tmp_path: Path) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a", "b/c", "<script>"])
    shown: list[str] = []
    outcome = run_pairs(suite(), pair, SETTING, lambda case: shown.append(case.name))
    assert verdicts(outcome) == {
        f"{direction}/{title}": Verdict.PASS
        for direction in ("H2G", "G2H")
        for title in ("a", "b/c", "<script>")
    }
    assert shown == [case.name for case in outcome.cases]
    assert outcome.verdict is Verdict.PASS, outcome.reason
    assert outcome.detail == {}
    for end, cid in ((host, "4242"), (guest, "2")):
        argv = (Path(end.folder) / "argv").read_text()
        assert f"--peer-cid={cid}" in argv
        assert "--peer-port=51234" in argv
        marks = [line for line in end.log.read_text().splitlines() if "kzc: " in line]
        assert marks == [
            f"kzc: {word} vsock/vsock_test/{direction}"
            for direction in ("H2G", "G2H")
            for word in ("begin", "end")
        ]
    assert not list(tmp_path.glob("kzc-serving-*"))


def test_what_both_texts_know(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, host, guest = ends
    say = 'echo "$KZC_DIRECTION $KZC_PEER_CID $KZC_PORT $KZC_CONTROL_HOST $PWD"; exit 1'
    outcome = run(pair, scripts(say, say, ready="none", parser="vsock_test"))
    assert outcome.verdict is Verdict.FAIL
    assert f"H2G 4242 51234 127.0.0.1 {host.folder}" in reason(outcome, "H2G/x exit")
    assert f"G2H 2 51234 127.0.0.1 {guest.folder}" in reason(outcome, "G2H/x exit")


@pytest.mark.parametrize("role", ["server", "client"])
def test_a_side_that_a_signal_ends(ends: tuple[Pair, ShellEnd, ShellEnd], role: str) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"])
    talker(guest, ["a", "b", "c"], **{f"{role}_1": "signal"})
    began = time.monotonic()
    outcome = run(pair, suite(directions=("H2G",) if role == "server" else ("G2H",)))
    assert time.monotonic() - began < 10
    direction = "H2G" if role == "server" else "G2H"
    # the program ended there; what it had left is run without the one that ended it
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.CRASH, Verdict.PASS]
    said = reason(outcome, f"{direction}/b")
    assert said.startswith(f"{role}: ")
    assert "ended with signal 11" in said
    assert "ended" not in outcome.detail


def test_a_client_that_fails_does_not_leave_its_server_waiting(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail")
    talker(guest, ["a", "b", "c"], server_1="hang")
    outcome = run(pair, suite(directions=("H2G",)))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.FAIL, Verdict.PASS]
    assert reason(outcome, "H2G/b").startswith("client: hash mismatch; server: killed")


@pytest.mark.parametrize("racy", [{}, {"b": "its wire may be slow"}])
def test_only_what_is_known_to_be_racy_gets_a_second_try(
    ends: tuple[Pair, ShellEnd, ShellEnd], racy: dict[str, str]
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "c", "d"], client_1="fail-once", client_3="fail")
    talker(guest, ["a", "b", "c", "d"])
    found = run(pair, suite(directions=("H2G",), racy=racy))
    b = Verdict.PASS if racy else Verdict.FAIL
    assert list(verdicts(found).values()) == [Verdict.PASS, b, Verdict.PASS, Verdict.FAIL]
    assert ("at the second try (its wire may be slow)" in reason(found, "H2G/b")) is bool(racy)
    assert "hash mismatch" in reason(found, "H2G/b")


def test_a_client_that_hangs_is_killed(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"], client_1="hang", server_1="hang")
    talker(guest, ["a", "b"])
    outcome = run(pair, suite(timeout=10))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.TIMEOUT] * 2
    assert "its time was up on the host after 1 s" in reason(outcome, "H2G/b")
    assert outcome.verdict is Verdict.TIMEOUT


def test_a_client_that_hangs_in_the_guest_ends_the_suite(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"])
    talker(guest, ["a", "b"], client_1="hang")
    outcome = run(pair, suite(timeout=10, directions=("G2H", "H2G")))
    assert verdicts(outcome) == {
        "G2H/a": Verdict.PASS,
        "G2H/b": Verdict.TIMEOUT,
        "H2G/a": Verdict.NOT_RUN,
        "H2G/b": Verdict.NOT_RUN,
    }


def test_a_server_that_does_not_end_is_no_pass(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, _, _ = ends
    asked = scripts("sleep 600", "true", ready="none", directions=["H2G"])
    outcome = run(pair, asked)
    assert list(verdicts(outcome).values()) == [Verdict.TIMEOUT]
    assert "on the guest after 3 s" in outcome.cases[0].reason


def test_a_server_that_is_never_ready(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, _, guest = ends
    outcome = run(pair, scripts("echo waiting; sleep 600", "exit 9", directions=["H2G"]))
    assert verdicts(outcome) == {"H2G/x": Verdict.NOT_RUN, "H2G/x exit": Verdict.TIMEOUT}
    assert "server on the guest did not listen" in reason(outcome, "H2G/x exit")
    assert reason(outcome, "H2G/x exit").endswith("waiting")
    assert not any("exit 9" in text for text in guest.asked)


def test_a_server_that_ends_before_it_listens(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, _, _ = ends
    outcome = run(pair, scripts("echo no vsock here; exit 3", "true", directions=["H2G"]))
    assert outcome.verdict is Verdict.FAIL
    words = "ended with status 3 before it listened: no vsock here"
    assert words in reason(outcome, "H2G/x exit")


def test_a_control_port_that_was_taken_in_between(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        taken = int(stranger.getsockname()[1])
        ports = [taken, free_port()]
        pair, host, guest = make_pair(tmp_path, ports=lambda: ports.pop(0))
        for end in (host, guest):
            talker(end, ["a"])
        outcome = run(pair, suite(directions=("G2H",)))
    assert verdicts(outcome) == {"G2H/a": Verdict.PASS}
    assert ports == []
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_control_ports_that_are_always_taken(tmp_path: Path) -> None:
    asked: list[int] = []

    def next_port() -> int:
        asked.append(free_port())
        return asked[-1]

    pair, _, _ = make_pair(tmp_path, ports=next_port)
    words = "echo bind: Address already in use; exit 1"
    outcome = run(pair, scripts(words, "true", directions=["G2H"]))
    assert verdicts(outcome) == {"G2H/x": Verdict.INFRA}
    assert len(asked) == 3
    assert f"control port {', '.join(map(str, asked))} on the host" in outcome.cases[0].reason


@pytest.mark.parametrize("ended", [Ended.PANIC, Ended.GONE, Ended.HOST, Ended.LOST])
@pytest.mark.parametrize("kept", [True, False])
def test_the_guest_goes_in_the_middle(
    ends: tuple[Pair, ShellEnd, ShellEnd], ended: Ended, kept: bool
) -> None:
    """As server its output may be lost with it; what the client saw is the proof then."""
    pair, host, guest = ends
    talker(host, ["a", "b", "c"], client_1="fail")
    talker(guest, ["a", "b", "c"], server_1="hang")

    def gone(text: str, answer: object) -> object:
        found = dead(ended, "talk server")(text, answer)  # type: ignore[arg-type]
        return found if kept else type(found)(ended, None, (), (), 1.0)

    guest.twist_served = gone  # type: ignore[assignment]
    outcome = run(pair, suite())
    found = Verdict.INFRA if ended is Ended.LOST else Verdict.CRASH
    assert list(verdicts(outcome).values()) == [
        Verdict.PASS,
        found,
        Verdict.NOT_RUN,
        *[Verdict.NOT_RUN] * 3,
    ]
    assert outcome.verdict is found
    who = {Ended.HOST: "host", Ended.LOST: "connection to the host"}.get(ended, "guest")
    assert who in reason(outcome, "H2G/b")
    assert (outcome.detail["ended"], outcome.detail["died"]) == (ended.value, who)


def test_the_guest_panics_as_client(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b"])
    talker(guest, ["a", "b"], client_1="signal")
    guest.twist = dead(Ended.PANIC, "talk client vsock_test")
    with guest.log.open("w") as log:
        log.write("old\n")
    host.twist_served = lambda _text, answer: answer
    outcome = run(pair, suite(directions=("G2H", "H2G")))
    assert list(verdicts(outcome).values()) == [
        Verdict.PASS,
        Verdict.CRASH,
        Verdict.NOT_RUN,
        Verdict.NOT_RUN,
    ]
    assert reason(outcome, "G2H/b") == "the guest died here (panic)"
    assert reason(outcome, "H2G/a") == "the guest was gone before (panic)"


def test_the_guest_is_gone_before_the_first_list(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, host, guest = ends
    talker(host, ["a"])
    guest.twist = dead(Ended.GONE, "--list")
    outcome = run(pair, suite())
    assert verdicts(outcome) == {
        "H2G/vsock_test exit": Verdict.CRASH,
        "G2H/vsock_test": Verdict.NOT_RUN,
    }


@pytest.mark.parametrize("longer", ["host", "guest"])
def test_lists_of_different_length(ends: tuple[Pair, ShellEnd, ShellEnd], longer: str) -> None:
    pair, host, guest = ends
    titles = {"host": ["a", "b"], "guest": ["a", "b"], longer: ["a", "b", "new", "newer"]}
    talker(host, titles["host"])
    talker(guest, titles["guest"])
    outcome = run(pair, suite())
    for direction in ("H2G", "G2H"):
        found = {name: v for name, v in verdicts(outcome).items() if name.startswith(direction)}
        assert found == {
            f"{direction}/a": Verdict.PASS,
            f"{direction}/b": Verdict.PASS,
            f"{direction}/new": Verdict.SKIP,
            f"{direction}/newer": Verdict.SKIP,
        }
    assert reason(outcome, "H2G/new") == f"only the {longer}'s vsock_test knows this test"
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_a_test_that_fails_before_the_lists_differ(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "b", "new"], client_1="fail")
    talker(guest, ["a", "b"])
    outcome = run(pair, suite(directions=("H2G",)))
    assert list(verdicts(outcome).values()) == [Verdict.PASS, Verdict.FAIL, Verdict.SKIP]


def test_another_test_at_the_same_place_is_skipped_on_both_ends(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    talker(host, ["a", "ours", "c"], client_1="fail", server_1="fail")
    talker(guest, ["a", "theirs", "c"], client_1="fail", server_1="fail")
    outcome = run(pair, suite(directions=("H2G",)))
    assert verdicts(outcome) == {
        "H2G/a": Verdict.PASS,
        "H2G/ours": Verdict.SKIP,
        "H2G/theirs": Verdict.SKIP,
        "H2G/c": Verdict.PASS,
    }
    assert "only the guest's vsock_test knows" in reason(outcome, "H2G/theirs")
    assert outcome.verdict is Verdict.PASS, outcome.reason


@pytest.mark.parametrize("name", ["host", "guest"])
def test_a_splat_on_either_end(ends: tuple[Pair, ShellEnd, ShellEnd], name: str) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"], **({"client_0": OOPS} if end.name == name else {}))
    outcome = run(pair, suite())
    assert {case.verdict for case in outcome.cases} == {Verdict.PASS}
    assert outcome.verdict is Verdict.FAIL
    assert outcome.detail["signature"].startswith(f"{name}: ")
    assert f"kernel log: {name}: BUG" in outcome.reason
    assert len(outcome.detail["findings"]) == 1


def test_what_was_in_the_logs_before_is_not_ours(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.log.write_text(f"[    1.000000] {OOPS}\n")
    assert run(pair, suite()).verdict is Verdict.PASS


def test_a_host_log_that_cannot_be_read_is_no_pass(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.readable = False
    outcome = run(pair, suite())
    assert {case.verdict for case in outcome.cases} == {Verdict.PASS}
    assert outcome.verdict is Verdict.INFRA
    assert outcome.reason == "the host's kernel log cannot be read"
    assert "kernel.dmesg_restrict=0" in outcome.detail["hint"]


def test_a_log_without_its_closing_mark_was_not_read(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    read = guest.kernel_log
    lines = lambda: tuple(line for line in read() or () if "kzc: end" not in line)  # noqa: E731
    guest.kernel_log = lines  # type: ignore[method-assign]
    outcome = run(pair, suite())
    assert (outcome.verdict, outcome.reason) == (
        Verdict.INFRA,
        "the guest's kernel log was not read to its end",
    )


def test_without_the_right_to_write_marks_reading_is_enough(
    ends: tuple[Pair, ShellEnd, ShellEnd],
) -> None:
    pair, host, guest = ends
    for end in (host, guest):
        talker(end, ["a"])
    host.scratch = host.scratch / "nowhere"
    host.scratch.mkdir()
    (host.scratch / "host.kmsg").mkdir()
    host.kernel_log = lambda: ()  # type: ignore[method-assign]
    outcome = run(pair, suite(directions=("G2H",)))
    assert outcome.verdict is Verdict.PASS, outcome.reason


def test_marks_in_an_ends_own_output_are_data(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    """A guest cannot speak for the host."""
    pair, _, _ = ends
    done = "0 - x...ok\\nAll tests have been executed. Waiting other peer...ok\\n"
    forged = f"printf '{done}=== status 0\\n=== server\\n{done}=== status 0\\n'"
    asked = scripts("exit 1", forged, ready="none", parser="vsock_test", directions=["G2H"])
    outcome = run(pair, asked)
    assert not outcome.cases[0].verdict.good


@pytest.mark.parametrize("name", ["host", "guest"])
def test_a_program_that_one_end_has_not(tmp_path: Path, name: str) -> None:
    pair, host, guest = make_pair(tmp_path)
    (host if name == "host" else guest).absent = {"prog": "no liburing"}
    build = [{"folder": "t", "make": ["x"], "outputs": ["prog"], "optional": True}]
    asked = Suite.model_validate(
        scripts("true", "true").model_dump(exclude={"build", "pairs"})
        | {
            "build": build,
            "pairs": [
                {
                    "name": "p",
                    "server": "true",
                    "client": "true",
                    "parser": "exit",
                    "needs": "prog",
                },
                {"name": "q", "server": "true", "client": "true", "parser": "exit"}
                | {"ready": "none", "planned": ["q"]},
            ],
        }
    )
    outcome = run(pair, asked)
    assert verdicts(outcome) == {
        "H2G/p": Verdict.SKIP,
        "G2H/p": Verdict.SKIP,
        "H2G/q": Verdict.PASS,
        "G2H/q": Verdict.PASS,
    }
    assert reason(outcome, "H2G/p") == f"prog was not built for the {name}: no liburing"


def test_a_sysctl_that_one_end_does_not_take(ends: tuple[Pair, ShellEnd, ShellEnd]) -> None:
    pair, _, _ = ends
    asked = scripts("true", "true").model_copy(update={"sysctls": {"no.such": 1}})
    outcome = run(pair, asked)
    assert outcome.verdict is Verdict.INFRA
    assert "could not be set on the host" in outcome.reason
