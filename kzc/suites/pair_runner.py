# SPDX-License-Identifier: GPL-2.0-only
"""Runs a suite's pairs between a host and a guest, in both directions, and folds what came of it.

A case's name has the direction in front. Both kernels' logs are marked, read and searched around
every exchange; what died ends the suite, what only hung on the host does not.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from kzc.errors import describe_status
from kzc.suites import fold, kernel_log
from kzc.suites.agree import Agreement, agree, shared_options
from kzc.suites.exchange import Exchange, State, Texts, compose, cut, exchange, stuck
from kzc.suites.fold import Log, Part
from kzc.suites.lines import Names, with_exit, with_planned
from kzc.suites.manifest import Direction, PairCommand, Suite
from kzc.suites.pair import HOST_CID, End, Pair
from kzc.suites.parsers import PARSERS
from kzc.suites.rounds import left_over, merged
from kzc.values import Answer, Case, Ended, Limits, Outcome, Stage, Verdict

_QUICK = Limits(20, 30)
_BOTH = frozenset({Ended.HOST, Ended.LOST})  # the guest goes with its host
_TRIES = 3
_IN_USE = re.compile(r"[Aa]ddress (?:already )?in use")
_NO_CONTROL = "Control socket initialization failed"


class Terms(Protocol):
    """What runs with every suite: a factor on its time limits, and the log rules."""

    @property
    def factor(self) -> float: ...

    @property
    def rules(self) -> kernel_log.Rules: ...


@dataclass(frozen=True)
class _Talk:
    """One entry in one direction."""

    suite: Suite
    entry: PairCommand
    direction: Direction
    pair: Pair
    factor: float

    @property
    def path(self) -> str:
        return f"{self.suite.name}/{self.entry.name}/{self.direction}"

    @property
    def server(self) -> End:
        return self.pair.server(self.direction)

    @property
    def client(self) -> End:
        return self.pair.client(self.direction)

    @property
    def ends(self) -> tuple[End, End]:
        return self.pair.host, self.pair.guest

    @property
    def limits(self) -> Limits:
        total = self.entry.timeout or self.suite.total
        return Limits(self.suite.silence, total).scaled(self.factor)


def run_pairs(
    suite: Suite,
    pair: Pair,
    setting: Terms,
    show: Callable[[Case], None] = lambda _case: None,
) -> Outcome:
    """All pairs of a suite, in order and in both directions; those after a dead end are NOT_RUN."""
    problem = _prepare(suite, pair, setting.factor)
    if problem:
        return Outcome(Stage.TEST, suite.name, Verdict.INFRA, reason=problem)
    parts: list[Part] = []
    names = Names()
    for entry in suite.pairs:
        agreement: Agreement | Part | None = None
        for direction in entry.directions:
            talk = _Talk(suite, entry, direction, pair, setting.factor)
            if parts and parts[-1].ended is not Ended.EXIT:
                part = _left_out(entry, agreement, parts[-1].ended)
            else:
                agreement = agreement or _agreement(talk)
                part = agreement if isinstance(agreement, Part) else _rounds(talk, agreement)
            part = replace(part, cases=_named(part.cases, talk, names))
            parts.append(part)
            for case in part.cases:
                show(case)
    return fold.fold(suite.name, parts, setting.rules)


def _prepare(suite: Suite, pair: Pair, factor: float) -> str:
    """Set the sysctls and leave behind what the logs held before; words on what went wrong."""
    lines = [
        f"echo '{value}' > /proc/sys/{name.replace('.', '/')} || exit 1"
        for name, value in suite.sysctls.items()
    ]
    text = "\n".join(lines) or "true"
    ends = {end.name: end for end in (pair.host, pair.guest)}
    for name, answer in pair.run(dict.fromkeys(ends, text), _QUICK.scaled(factor)).items():
        end = ends[name]
        if answer.status != 0:
            said = " ".join(answer.output) or answer.ended
            return f"sysctls of {suite.name} could not be set on the {end.name}: {said}"
        end.kernel_log()
    return ""


def _named(cases: Iterable[Case], talk: _Talk, names: Names) -> tuple[Case, ...]:
    found = []
    for case in cases:
        name = f"{talk.entry.name} exit" if case.name == "exit" else case.name
        found.append(replace(case, name=names.unique(f"{talk.direction}/{name}")))
    return tuple(found)


def _left_out(entry: PairCommand, agreement: Agreement | Part | None, ended: Ended) -> Part:
    planned = agreement.planned if isinstance(agreement, Agreement) else entry.planned
    return Part(fold.not_run(planned or (entry.name,), ended), (), ended, 0.0)


def _agreement(talk: _Talk) -> Agreement | Part:
    """What both ends' programs know; a Part that says why when an end lacks them or died."""
    entry = talk.entry
    for end in talk.ends:
        if entry.needs in end.absent:
            reason = f"{entry.needs} was not built for the {end.name}: {end.absent[entry.needs]}"
            return Part((Case(entry.name, Verdict.SKIP, reason=reason),), (), Ended.EXIT, 0.0)
    printed: dict[str, list[tuple[str, ...]]] = {}
    for text in filter(None, (entry.list_tests, entry.help_text)):
        texts = {end.name: f"{_enter(talk, end)}\n{text}" for end in talk.ends}
        for name, answer in talk.pair.run(texts, _QUICK.scaled(talk.factor)).items():
            if answer.ended is not Ended.EXIT:
                cases = fold.blame((), answer.ended, answer.seconds, name)
                return Part(cases, (), answer.ended, answer.seconds)
            printed.setdefault(text, []).append(answer.output)
    found = Agreement(entry.planned)
    if entry.list_tests:
        host, guest = (PARSERS.names(entry.parser, out) for out in printed[entry.list_tests])
        found = agree(entry.needs or entry.name, host, guest)
    if entry.help_text:
        found = replace(found, options=shared_options(*printed[entry.help_text]))
    return found


def _enter(talk: _Talk, end: End) -> str:
    known = f"export KZC_BIN={shlex.quote(end.folder)} KZC_SLOWDOWN={talk.factor:.0f}"
    return f'{known}; cd "$KZC_BIN" || exit 1'


def _rounds(talk: _Talk, agreement: Agreement) -> Part:
    part = _part(talk, agreement)
    racy, apart = talk.entry.racy, bool(agreement.positions)
    while names := left_over(part, racy, apart=apart):
        more = _part(talk, agreement.only_of(names) if apart else agreement)
        again = merged(part, more, names, racy)
        racy = {}  # once
        if left_over(again, racy) == names:
            return again  # whatever it is, it does not get on
        part = again
    return part


def _part(talk: _Talk, agreement: Agreement) -> Part:
    marked = _marks(talk, talk.ends, "begin")
    found, tried = _talk(talk, agreement)
    ended, seconds, who = cut(talk.server, talk.client, found)
    cases = fold.blame(_cases(talk, agreement, found, tried), ended, seconds, who)
    over = ended in fold.GONE or stuck(found, talk.pair.guest, talk.client)
    dead = ended if over else Ended.EXIT
    logs = []
    gone = {end.name for end in talk.ends if dead in _BOTH or fold.DIED.get(dead) == end.name}
    closed = _marks(talk, [end for end in talk.ends if end.name not in gone], "end")
    for end in talk.ends:
        answer = closed.get(end.name)
        if answer and answer.ended is not Ended.EXIT and dead is Ended.EXIT:
            dead = answer.ended
            cases = fold.blame(cases, dead, answer.seconds, end.name)
        # without the right to write it, the first mark is not there either
        written = marked[end.name].status == 0
        mark = fold.mark("end", talk.path) if written else ""
        there = answer is not None and answer.ended is Ended.EXIT
        logs.append(_log(end, mark, fold.settle(talk.factor) if there else ""))
    took = sum(answer.seconds for answer in (found.client, found.server) if answer)
    cases = fold.starved(cases, [line for log in logs for line in log.lines or ()])
    return Part(_without_lone(cases, agreement), tuple(logs), dead, took)


def _log(end: End, mark: str, settle: str) -> Log:
    log = Log(end.name, end.kernel_log(), mark)
    for _ in range(fold.SETTLES if settle and log.lines is not None else 0):
        if log.whole or end.run(settle, _QUICK).ended is not Ended.EXIT:
            break
        log = replace(log, lines=(*(log.lines or ()), *(end.kernel_log() or ())))
    return log


def _marks(talk: _Talk, ends: Sequence[End], word: str) -> dict[str, Answer]:
    look = fold.CLEAR_LEAKS if word == "begin" else f"{fold.FIND_LEAKS}\n{fold.FIND_FULL}"
    text = f"{look}\n{fold.write_mark(word, talk.path)}"
    limits = Limits(talk.suite.total, talk.suite.total).scaled(talk.factor)
    return talk.pair.run({end.name: text for end in ends}, limits) if ends else {}


def _talk(talk: _Talk, agreement: Agreement) -> tuple[Exchange, Sequence[int]]:
    """The exchange, and the control ports that somebody else had before."""
    tried: list[int] = []
    while True:
        port = talk.pair.inside if talk.direction is Direction.H2G else talk.pair.free_port()
        texts = _texts(talk, agreement, port)
        found = exchange(talk.server, talk.client, texts, talk.limits, talk.factor)
        if not _taken(found):
            return found, tried
        tried.append(port)
        if talk.direction is Direction.H2G or len(tried) == _TRIES:
            return replace(found, state=State.TAKEN), tried


def _taken(found: Exchange) -> bool:
    """True when the control port was somebody else's, before the server or instead of it."""
    if found.state is State.TAKEN:
        return True
    if found.server is None or not found.server.status:
        return False
    said = "\n".join(found.server.output)
    return _NO_CONTROL in said or (found.state is State.ENDED and bool(_IN_USE.search(said)))


def _texts(talk: _Talk, agreement: Agreement, port: int) -> Texts:
    pair = talk.pair
    if talk.direction is Direction.H2G:
        server, client = ("0.0.0.0", port), ("127.0.0.1", pair.forwarded)
    else:
        server, client = ("127.0.0.1", port), (pair.gateway, port)
    return Texts(
        f"{_known(talk, agreement, talk.server, *server)}\n{talk.entry.server}",
        f"{_known(talk, agreement, talk.client, *client)}\n{talk.entry.client}",
        port if talk.entry.ready == "tcp" else 0,
    )


def _known(talk: _Talk, agreement: Agreement, end: End, host: str, port: int) -> str:
    cid = talk.pair.guest_cid if end is talk.pair.host else HOST_CID
    known = {
        "KZC_DIRECTION": talk.direction.value,
        "KZC_PEER_CID": str(cid),
        "KZC_PORT": str(talk.pair.port),
        "KZC_CONTROL_HOST": host,
        "KZC_CONTROL_PORT": str(port),
        "KZC_OPTIONS": " ".join(agreement.options),
        "KZC_SKIP": " ".join(f"--skip={position}" for position in agreement.skip),
    }
    words = " ".join(f"{name}={shlex.quote(value)}" for name, value in known.items())
    return f"export {words}\n{_enter(talk, end)}"


def _cases(
    talk: _Talk, agreement: Agreement, found: Exchange, tried: Sequence[int]
) -> tuple[Case, ...]:
    planned = agreement.planned
    if found.state is State.TAKEN:
        ports = ", ".join(str(port) for port in tried)
        reason = f"control port {ports} on the {talk.server.name} was taken by somebody else"
        names = planned or (talk.entry.name,)
        return tuple(Case(name, Verdict.INFRA, reason=reason) for name in names)
    if found.state is not State.TALKED:
        return with_exit(with_planned((), planned), *_silent(talk, found))
    text, status = compose(talk.server, talk.client, found)
    cases = PARSERS[talk.entry.parser](text, status=status, planned=planned)
    if cases:
        return cases
    return (Case(talk.entry.name, Verdict.FAIL, reason=f"`{talk.entry.name}` ran no case at all"),)


def _silent(talk: _Talk, found: Exchange) -> tuple[str, Verdict]:
    """Why the client was never started."""
    server, asked = found.server, found.asked
    if asked.ended is not Ended.EXIT:
        return "", Verdict.NOT_RUN
    where = f"the server on the {talk.server.name}"
    if server is None or found.state is State.UNKNOWN:
        return f"{where} could not be started: {_last(asked.output)}", Verdict.INFRA
    if found.state is State.DEAF:
        words = f"{where} did not listen on its control port"
        return f"{words}: {_last(server.output)}", Verdict.TIMEOUT
    status = server.status or 0
    ended = f"{where} ended with {describe_status(status)} before it listened"
    return f"{ended}: {_last(server.output)}", Verdict.CRASH if status > 128 else Verdict.FAIL


def _last(lines: Sequence[str]) -> str:
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _without_lone(cases: Sequence[Case], agreement: Agreement) -> tuple[Case, ...]:
    """What only one end knows cannot run, whatever that end made of it."""
    return tuple(
        Case(case.name, Verdict.SKIP, reason=agreement.only[case.name])
        if case.name in agreement.only
        else case
        for case in cases
    )
