# SPDX-License-Identifier: GPL-2.0-only
"""vsock_test's output, recorded in real guests, cut at every line and with known traps put in."""

from pathlib import Path

import pytest

from kzc.suites.vsock_test import parse, parse_list
from kzc.values import Case, Verdict

DATA = Path(__file__).parents[2] / "data" / "suites"
PLANNED = parse_list((DATA / "vsock-list.txt").read_text().splitlines())
LISTED = 26


def read(name: str) -> list[str]:
    return (DATA / name).read_text().splitlines()


def verdicts(cases: tuple[Case, ...]) -> dict[str, Verdict]:
    assert len({case.name for case in cases}) == len(cases)
    return {case.name: case.verdict for case in cases}


def titles(lines: list[str]) -> set[str]:
    """Tests whose own line says `ok`."""
    tests = [line for line in lines if line.endswith("...ok") and " - " in line]
    return {line.split(" - ", 1)[1].removesuffix("...ok") for line in tests}


def both(client: str, server: str, status: int | None = 0) -> tuple[Case, ...]:
    text = f"{client}\n=== server\n{server}"
    return parse(text.splitlines(), status=status)


def test_listed_titles_are_the_names_of_the_cases() -> None:
    assert len(PLANNED) == LISTED
    assert PLANNED[0] == "SOCK_STREAM connection reset"
    cases = parse(read("vsock-pass.log"), status=0, planned=PLANNED)
    assert tuple(case.name for case in cases) == PLANNED
    assert {case.verdict for case in cases} == {Verdict.PASS}


def test_waiting_for_the_peer_is_no_test() -> None:
    assert not [
        case for case in parse(read("vsock-pass.log"), status=0) if "All tests" in case.name
    ]


@pytest.mark.parametrize("status", [None, 1, 139])
@pytest.mark.parametrize("name", ["vsock-pass.log", "vsock-server-killed.log"])
def test_a_cut_log_proves_no_more_than_its_whole_lines(name: str, status: int | None) -> None:
    lines = read(name)
    for end in range(len(lines)):
        head = lines[:end]
        cut = head.index("=== server") if "=== server" in head else end
        proven = titles(head[:cut])
        if cut < end and name == "vsock-pass.log":
            proven &= titles(head[cut:])
        found = verdicts(parse(head, status=status, planned=PLANNED))
        assert set(found) >= set(PLANNED)
        assert {title for title, verdict in found.items() if verdict is Verdict.PASS} <= proven
        if status is not None:
            assert not all(verdict.good for verdict in found.values())
        if head and head[-1].endswith("...") and cut == end:
            assert found[head[-1].split(" - ", 1)[1].removesuffix("...")] is Verdict.CRASH


@pytest.mark.parametrize("keep", range(1, 9))
def test_a_line_torn_in_the_middle_passes_nothing(keep: int) -> None:
    text = (DATA / "vsock-pass.log").read_text()
    at = text.index("7 - SOCK_SEQPACKET MSG_TRUNC")
    whole = text[: text.index("\n", at) + 1]
    found = verdicts(parse(whole[:-keep].splitlines(keepends=True), status=None, planned=PLANNED))
    assert found["SOCK_SEQPACKET MSG_TRUNC flag"] is not Verdict.PASS
    assert found["SOCK_SEQPACKET msg bounds"] is Verdict.PASS


def test_a_guest_that_dies_in_a_test() -> None:
    found = verdicts(parse(read("vsock-guest-died.log"), status=None, planned=PLANNED))
    assert [name for name, verdict in found.items() if verdict is Verdict.CRASH] == [
        "SOCK_STREAM poll() + SO_RCVLOWAT"
    ]
    assert list(found.values()).count(Verdict.PASS) == 10
    assert list(found.values()).count(Verdict.NOT_RUN) == LISTED - 11


def test_a_killed_server_is_blamed_for_the_test_it_died_in() -> None:
    cases = parse(read("vsock-server-killed.log"), status=139, planned=PLANNED)
    found = verdicts(cases)
    assert found["SOCK_SEQPACKET test invalid buffer"] is Verdict.PASS
    crashed = next(case for case in cases if case.verdict is Verdict.CRASH)
    assert crashed.name == "SOCK_STREAM virtio skb merge"
    assert "server: ended with signal 11" in crashed.reason
    assert found["SOCK_SEQPACKET MSG_PEEK"] is Verdict.NOT_RUN


def test_a_lost_ok_is_not_given_back_without_the_barrier() -> None:
    client = "0 - a...ok\n1 - b...unexpected EOF on control socket\n=== status 1"
    found = verdicts(both(client, "0 - a...\n=== status 139", 139))
    assert found == {"a": Verdict.CRASH, "b": Verdict.NOT_RUN}


def test_what_one_side_began_when_the_other_was_gone_was_not_run() -> None:
    # recorded: the client of 34 met a connect that was left of 33, and the server went on to 35
    client = "0 - a...connect: Connection reset by peer\n=== status 1"
    found = verdicts(both(client, "0 - a...ok\n1 - b...send: Connection reset by peer", 1))
    assert found == {"a": Verdict.FAIL, "b": Verdict.NOT_RUN}


def test_both_sides_say_why() -> None:
    case = parse(read("vsock-diag-fail.log"), status=1)[-1]
    assert (case.name, case.verdict) == ("Connect", Verdict.FAIL)
    assert "client: expected 1 sockets, found 3" in case.reason
    assert "server: expected 1 sockets, found 2" in case.reason


def test_the_side_that_only_lost_its_peer_comes_last() -> None:
    case = both("0 - a...unexpected EOF on control socket", "0 - a...hash mismatch", 1)[0]
    assert case.reason == "server: hash mismatch; client: unexpected EOF on control socket"


def test_skipped() -> None:
    assert [c.verdict for c in parse(read("vsock-diag-skip.log"), status=0)] == [
        Verdict.PASS,
        Verdict.PASS,
        Verdict.SKIP,
    ]
    text = "0 - a...Test skipped, SIOCOUTQ not supported.\nok\nAll tests have been executed. ok"
    case = both(text, text)[0]
    assert (case.verdict, case.reason) == (
        Verdict.SKIP,
        "Test skipped, SIOCOUTQ not supported.",
    )


def test_text_between_title_and_ok() -> None:
    said = "G2H Transport detected. This test will not fail."
    done = "All tests have been executed. Waiting other peer...ok"
    case = both(f"33 - a, lockdep warn...{said}\nok\n{done}", f"33 - a, lockdep warn...ok\n{done}")[
        0
    ]
    assert case == Case("a, lockdep warn", Verdict.PASS, reason=f"client: {said}")


def test_kernel_lines_in_between_are_no_reason() -> None:
    said = "[    2.669199] tsc: Refined\n[    2.700000][  T12] clocksource: Switched"
    text = f"0 - a...{said}\nok\nAll tests have been executed."
    assert both(text, text) == (Case("a", Verdict.PASS),)


@pytest.mark.parametrize(
    ("client", "server"),
    [("0 - a...ok", "0 - a..."), ("0 - a...", "0 - a...ok"), ("0 - a...ok", "")],
)
@pytest.mark.parametrize("status", [0, 1, 139, None])
def test_one_side_alone_passes_nothing(client: str, server: str, status: int | None) -> None:
    assert not both(client, server, status)[0].verdict.good


def test_without_the_servers_part() -> None:
    text = "0 - a...ok\nAll tests have been executed. Waiting other peer...ok".splitlines()
    assert parse(text, status=None) == (Case("a", Verdict.PASS),)
    case = parse(text, status=0)[0]
    assert (case.verdict, case.reason) == (Verdict.NOT_RUN, "server: no output")


def test_an_end_on_eof_leaves_the_rest_not_run() -> None:
    text = "0 - a...ok\n1 - b...unexpected EOF on control socket\n=== status 1"
    cases = parse(f"{text}\n=== server\n{text}".splitlines(), status=1, planned=("a", "b", "c"))
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.FAIL, Verdict.NOT_RUN]
    assert cases[1].reason == "unexpected EOF on control socket"


def test_doubled_titles_get_numbers() -> None:
    text = "0 - a...ok\n1 - a...ok\nAll tests have been executed."
    assert [case.name for case in both(text, text)] == ["a", "a#2"]
    assert parse_list(["ID\tTest name", "0\ta", "1\ta"]) == ("a", "a#2")


def test_a_test_seen_twice_keeps_its_failure() -> None:
    done = "All tests have been executed."
    assert not both(f"0 - a...bad\n0 - a...ok\n{done}", f"0 - a...ok\n{done}")[0].verdict.good


@pytest.mark.parametrize(
    ("text", "status", "verdict"),
    [
        ("Control socket initialization failed.", 1, Verdict.FAIL),
        ("", 139, Verdict.CRASH),
        ("", None, Verdict.CRASH),
        ("0 - a...ok", 0, Verdict.FAIL),
    ],
)
def test_a_fault_that_no_test_shows(text: str, status: int | None, verdict: Verdict) -> None:
    case = both(text, text, status)[-1]
    assert (case.name, case.verdict) == ("exit", verdict)


def test_a_bad_status_after_the_last_test_is_no_pass() -> None:
    lines = [line.replace("=== status 0", "=== status 1") for line in read("vsock-pass.log")]
    cases = parse(lines, status=1)
    assert cases[-1].verdict is Verdict.FAIL
    assert cases[-1].name == "exit"


UNEVEN = (
    'expected "NEXT" on control socket, got "COMPLETED"',
    'expected "COMPLETED" on control socket, got "NEXT"',
)


def test_a_side_with_more_tests_than_the_other() -> None:
    client = f"0 - a...ok\n1 - b...{UNEVEN[0]}\n=== status 1"
    done = "All tests have been executed. Waiting other peer..."
    server = f"0 - a...ok\n{done}{UNEVEN[1]}\n=== status 1"
    for cases in (both(client, server, 1), both(server, client, 1)):
        assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.SKIP]
        assert "knows this test" in cases[1].reason
    lost = client.replace(UNEVEN[0], "unexpected EOF on control socket")
    assert both(lost, server, 1)[1].verdict is Verdict.SKIP


@pytest.mark.parametrize("words", ["hash mismatch", "unexpected EOF on control socket"])
def test_a_failure_at_the_end_is_no_difference_of_lists(words: str) -> None:
    done = "All tests have been executed. Waiting other peer..."
    server = f"0 - a...ok\n{done}unexpected EOF on control socket\n=== status 1"
    cases = both(f"0 - a...ok\n1 - b...{words}\n=== status 1", server, 1)
    assert not cases[1].verdict.good


def test_a_side_that_died_with_its_output() -> None:
    client = "0 - a...ok\n1 - b...connect: Connection reset by peer\n=== status 1"
    cases = both(client, "=== died", None)
    assert [case.verdict for case in cases] == [Verdict.PASS, Verdict.CRASH]
    client = "0 - a...ok\n1 - b...unexpected EOF on control socket\n=== status 1"
    cases = both(client, "=== died", None)
    assert [case.verdict for case in cases] == [Verdict.CRASH, Verdict.NOT_RUN]
