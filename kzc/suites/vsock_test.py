# SPDX-License-Identifier: GPL-2.0-only
"""Output of vsock_test, vsock_diag_test and vsock_uring_test (tools/testing/vsock/util.c).

A test prints `N - TITLE...`, anything, and `ok` or `skipped`; it has passed when both ends said
so. The text holds the client's lines, a line `=== server`, the server's lines; each side may end
with `=== status N`, or with `=== died` where its machine went. A side's first test without an end
is the one that failed: the program exits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from kzc.errors import describe_status
from kzc.suites.lines import Names, is_kernel, unglued, uniques, whole, with_exit, with_planned
from kzc.values import Case, Verdict, worst

_BEGIN = re.compile(r"(\d+) - (.+?)\.\.\.(.*)")
_LISTED = re.compile(r"(\d+)\t(.+)")
_STATUS = re.compile(r"=== status (\d+)$")
_SERVER = "=== server"
_COMPLETED = "All tests have been executed."
_DIED = "=== died"
_ECHO = "control socket"
_LOST_PEER = "unexpected EOF on control socket"
# what the side with more tests says in the first of those, and the other one at its end
_UNEVEN = (
    'expected "NEXT" on control socket, got "COMPLETED"',
    'expected "COMPLETED" on control socket, got "NEXT"',
)
_NOTES = 4

_Key = tuple[int, str]


@dataclass
class _Test:
    end: str = ""
    notes: list[str] = field(default_factory=list)


@dataclass
class _Side:
    name: str
    status: int | None
    tests: dict[_Key, _Test] = field(default_factory=dict)
    completed: bool = False
    last: str = ""
    died: bool = False


def parse_list(lines: Iterable[str]) -> tuple[str, ...]:
    """Titles in order out of `--list`, made unique; the program's own status there is always 1."""
    found = (_LISTED.match(line.rstrip("\r\n")) for line in lines)
    return uniques(match[2].strip() for match in found if match)


def parse(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """A case per title, the worst of both sides; `exit` when only a status shows the fault."""
    text = unglued(whole(lines, status))
    cut = text.index(_SERVER) if _SERVER in text else len(text)
    client = _read("client", text[:cut], status)
    sides = [client]
    if cut < len(text):
        server = _read("server", text[cut + 1 :], status)
        sides.append(server)
        for side, other in ((client, server), (server, client)):
            _settle(side, other)
            _bury(side, other)
            status = 0 if _even(side, other) else status
    elif status is not None:
        sides.append(_Side("server", status))
    keys = sorted({key for side in sides for key in side.tests})
    names = Names()
    cases = [_fold(names.unique(key[1]), key, sides) for key in keys]
    fault, verdict = _fault(sides, status)
    return with_exit(with_planned(cases, planned), fault, verdict)


def _read(name: str, lines: Sequence[str], status: int | None) -> _Side:
    side = _Side(name, status)
    test: _Test | None = None
    for line in lines:
        if match := _STATUS.match(line):
            side.status = int(match[1])
            break
        if line == _DIED:
            side.died, side.status = True, None
            break
        if line.startswith(_COMPLETED):
            side.completed = True
            test = None
        elif match := _BEGIN.match(line):
            test = _Test()
            _continue(test, match[3])
            before = side.tests.get((int(match[1]), match[2]))
            if before is None or before.end == "ok":
                side.tests[int(match[1]), match[2]] = test
        elif test is not None:
            _continue(test, line)
        if line.strip():
            side.last = line.strip()
    return side


def _continue(test: _Test, line: str) -> None:
    if test.end or not line.strip() or is_kernel(line):
        return
    if line in {"ok", "skipped"}:
        test.end = line
    else:
        test.notes.append(line.strip())


def _settle(side: _Side, other: _Side) -> None:
    """Move the fault of a side that a signal ended to the test in which it really died.

    Its last `ok` was in a buffer then. Each test begins with a barrier, so the other side's being
    inside of the next test proves that this one had finished the one before.
    """
    if not side.tests or not side.status or side.status <= 128:
        return
    last = max(side.tests)
    beyond = [key for key, test in other.tests.items() if key > last and _inside(test)]
    if beyond and not side.tests[last].end:
        side.tests[last].end = "ok"
        side.tests[min(beyond)] = _Test()


def _bury(side: _Side, other: _Side) -> None:
    """Give a side whose machine died what the other saw of it: its own output may be lost.

    Once more the barrier is the proof. It died in the last test in which it is known to have been.
    """
    if not side.died:
        return
    known = [key for key, test in other.tests.items() if _inside(test)] + list(side.tests)
    if not known:
        return
    last = max(known)
    for key, seen in other.tests.items():
        test = side.tests.setdefault(key, _Test()) if key <= last else _Test()
        if key < last and not test.end:
            test.end = seen.end or "ok"


def _even(side: _Side, other: _Side) -> bool:
    """Take the words for it that `other` knows fewer tests: all of those have passed the barrier,
    and the first that only `side` knows met the end of the other's list."""
    if not side.tests or not other.completed:
        return False
    key = max(side.tests)
    test = side.tests[key]
    if key in other.tests or len(test.notes) != 1 or (side.status, other.status) != (1, 1):
        return False
    last = (test.notes[0], other.last.removeprefix(f"{_COMPLETED} Waiting other peer..."))
    if last not in {_UNEVEN, (_UNEVEN[0], _LOST_PEER), (_LOST_PEER, _UNEVEN[1])}:
        return False
    side.status = other.status = 0
    side.completed = True
    test.end, test.notes = "skipped", [f"only the {side.name} knows this test"]
    other.tests[key] = test
    return True


def _inside(test: _Test) -> bool:
    return bool(test.end) or any(_ECHO not in note for note in test.notes)


def _fold(name: str, key: _Key, sides: Sequence[_Side]) -> Case:
    views = [(side.name, *_judge(side, key)) for side in sides]
    if any(_gone_before(side, key) for side in sides):
        return Case(name, Verdict.NOT_RUN, reason="the other side was gone")
    verdict = worst(view[1] for view in views)
    said = [(side, reason) for side, own, reason in views if reason and own is verdict]
    if not verdict.good:
        # the side that only saw its peer go says less than the one that went
        said = [(side, reason) for side, own, reason in views if reason and not own.good]
        said.sort(key=lambda entry: _ECHO in entry[1])
    if len({reason for _, reason in said}) == 1 and len(said) == len(sides) > 1:
        return Case(name, verdict, reason=said[0][1])
    return Case(name, verdict, reason="; ".join(f"{side}: {reason}" for side, reason in said))


def _gone_before(side: _Side, key: _Key) -> bool:
    """Whether a side was gone when the other one began: that waited at the barrier, and what it
    says is no more than that nobody came."""
    if key in side.tests:
        return False
    return side.died or (bool(side.tests) and key > max(side.tests) and bool(side.status))


def _judge(side: _Side, key: _Key) -> tuple[Verdict, str]:
    test = side.tests.get(key)
    if test is None:
        return Verdict.NOT_RUN, "it never began" if side.tests else "no output"
    notes = ", ".join(test.notes[:_NOTES])
    if test.end == "skipped":
        return Verdict.SKIP, notes or "skipped"
    if test.end == "ok":
        skipped = any(note.startswith("Test skipped") for note in test.notes)
        return Verdict.SKIP if skipped else Verdict.PASS, notes
    if side.status is None:
        return Verdict.CRASH, notes or "cut before its end"
    if side.status > 128:
        ended = f"ended with {describe_status(side.status)}"
        return Verdict.CRASH, f"{notes}, {ended}" if notes else ended
    if not notes:
        return Verdict.CRASH, f"ended with {describe_status(side.status)} and without a word"
    return Verdict.FAIL, notes


def _fault(sides: Sequence[_Side], status: int | None) -> tuple[str, Verdict]:
    """What a status or a missing end shows that may not show in any test."""
    for side in sides:
        if side.status and side.status > 128:
            return f"{side.name}: ended with {describe_status(side.status)}", Verdict.CRASH
    for side in sides:
        if side.status:
            words = f"{side.name}: ended with {describe_status(side.status)}"
            return f"{words}: {side.last}" if side.last else words, Verdict.FAIL
    if status:
        return f"ended with {describe_status(status)}", Verdict.FAIL
    for side in sides:
        if not side.completed:
            words = f"{side.name}: its output ends before '{_COMPLETED}'"
            return words, Verdict.CRASH if status is None else Verdict.FAIL
    return "", Verdict.PASS
