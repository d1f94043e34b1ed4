# SPDX-License-Identifier: GPL-2.0-only
"""Output of tools/testing/selftests/net/msg_zerocopy.sh, called once per protocol and IP version.

Each call stands between `=== IP PROTO` and `=== status N`; the latter is printed when no sender
or receiver is left, so that a late receiver's line never lands in the next call. In between, the
script prints a header per mode, the sender a `tx=` line and the receiver an `rx=` line, in either
order. A mode has passed when both lines are there and data arrived; `ok` proves nothing.
Newer scripts also send to where nobody receives: trials with `tx-only` in their header. There the
sender says itself whether the data was expected to be copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kzc.errors import describe_status
from kzc.suites.lines import Names, is_kernel, unglued, whole, with_planned
from kzc.values import Case, Verdict

_CALL = re.compile(r"=== ([46]) (\w+)$")
_STATUS = re.compile(r"=== status (\d+)$")
_HEADER = re.compile(r"ipv([46]) (\w+)(?: (.*))?$")
_TAIL = r"(?=$|\s*\[ *\d+\.\d{6}\])"
_TX = re.compile(r"\btx=(\d+) \((\d+) MB\) txc=(\d+) zc=([yn])(?: txs=(\d+))?" + _TAIL)
_RX = re.compile(r"\brx=(\d+) \((\d+) MB\)" + _TAIL)
_ERROR = re.compile(r"(?:^|/)msg_zerocopy: (.+)")
_MISSING = re.compile(r"missing notifications: \d+ < \d+")
_KILLED = re.compile(
    r"\b(Killed|Segmentation fault|Bus error|Aborted|Illegal instruction|Terminated)\b"
)
_UNSUPPORTED = re.compile(r"setsockopt .*: Operation not supported$")
_UNEXPECTED = re.compile(r"serr: ee_code: \d+ != expected \d+")
# -n where -Z has another meaning
_MODES = {"-z": "zerocopy", "-Z": "sendmsg-notification", "-n": "sendmsg-notification"}
_TX_ONLY = "tx-only"


@dataclass
class _Trial:
    """One mode of one call. `ended`: all that it could print was seen; `alone`: no receiver."""

    ip: int
    proto: str
    mode: str
    announced: bool = True
    alone: bool = False
    ended: bool = False
    status: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"{self.proto}/ipv{self.ip}/{self.mode}{'-' + _TX_ONLY if self.alone else ''}"


def parse(
    lines: Iterable[str], *, status: int | None, planned: Sequence[str] = ()
) -> tuple[Case, ...]:
    """Cases `PROTO/ipvN/MODE`, mode copy, zerocopy or sendmsg-notification (option -Z or -n).

    Where nobody receives, the name ends in `-tx-only`.

    Detail: proto, ip, mode, and as far as they were printed tx, tx_mb, txc, zc (y or n), txs
    (completions that sendmsg returned), rx, rx_mb, and missing.
    """
    trials = _trials(unglued(whole(lines, status)))
    if trials and status is not None and not trials[-1].ended and not _in_call(trials[-1]):
        trials[-1].ended = True
        trials[-1].status = status
    names = Names()
    cases = with_planned([_case(names.unique(trial.name), trial) for trial in trials], planned)
    return _stopped_by_skips(cases)


def _stopped_by_skips(cases: Sequence[Case]) -> tuple[Case, ...]:
    """The script ends where a socket has no SO_ZEROCOPY: what it did not come to is skipped too."""
    skipped = {case.name.rpartition("/")[0]: case for case in cases if case.verdict is Verdict.SKIP}
    found = []
    for case in cases:
        cause = skipped.get(case.name.rpartition("/")[0])
        if case.verdict is Verdict.NOT_RUN and cause is not None:
            detail = {**cause.detail, "mode": case.name.rpartition("/")[2]}
            case = replace(case, verdict=Verdict.SKIP, reason=cause.reason, detail=detail)
        found.append(case)
    return tuple(found)


def _in_call(trial: _Trial) -> bool:
    """True between `=== IP PROTO` and `=== status N`, whose absence then means a cut."""
    return bool(trial.lines) and trial.lines[0].startswith("=== ")


def _trials(lines: Sequence[str]) -> list[_Trial]:
    trials: list[_Trial] = []
    current: _Trial | None = None
    call = ""
    for line in lines:
        if match := _CALL.match(line):
            call = line
            current = _Trial(int(match[1]), match[2], "copy", announced=False, lines=[call])
            trials.append(current)
        elif match := _STATUS.match(line):
            if current:
                current.ended, current.status = True, int(match[1])
            current, call = None, ""
        elif (match := _HEADER.match(line)) and call in {"", f"=== {match[1]} {match[2]}"}:
            if current and current.announced:
                current.ended = True
            elif current:
                trials.pop()
            words = (match[3] or "").split()
            current = _Trial(int(match[1]), match[2], _mode(words), lines=[call] if call else [])
            current.alone = _TX_ONLY in words
            trials.append(current)
        elif current and line.strip() and not is_kernel(line):
            current.lines.append(line.strip())
    return trials


def _mode(arguments: Sequence[str]) -> str:
    return next((_MODES[word] for word in arguments if word in _MODES), "copy")


def _case(name: str, trial: _Trial) -> Case:
    detail: dict[str, Any] = {"proto": trial.proto, "ip": trial.ip, "mode": trial.mode}
    sent = _find(_TX, trial.lines)
    received = _find(_RX, trial.lines)
    if sent:
        detail |= {"tx": int(sent[1]), "tx_mb": int(sent[2]), "txc": int(sent[3]), "zc": sent[4]}
        if sent[5]:
            detail["txs"] = int(sent[5])
    if received:
        detail |= {"rx": int(received[1]), "rx_mb": int(received[2])}
    if missing := _find(_MISSING, trial.lines):
        detail["missing"] = missing[0].removeprefix("missing notifications: ")
    verdict, reason = _judge(trial, detail)
    if verdict is Verdict.SKIP:
        detail = {key: detail[key] for key in ("proto", "ip", "mode")}
    return Case(name, verdict, reason=reason, detail=detail)


def _find(pattern: re.Pattern[str], lines: Sequence[str]) -> re.Match[str] | None:
    return next((match for line in lines if (match := pattern.search(line))), None)


def _judge(trial: _Trial, detail: dict[str, Any]) -> tuple[Verdict, str]:
    error = _find(_ERROR, trial.lines)
    words = error[1].strip() if error else ""
    killed = _find(_KILLED, [line for line in trial.lines if not _ERROR.search(line)])
    if killed or trial.status > 128:
        how = killed[1] if killed else describe_status(trial.status)
        return Verdict.CRASH, f"a test program died: {how}"
    if trial.mode != "copy" and "tx" not in detail and _UNSUPPORTED.search(words):
        return Verdict.SKIP, words
    if words:
        return Verdict.FAIL, words
    if not trial.ended and not _ends(trial) <= detail.keys():
        return Verdict.CRASH, "cut before its end"
    if not trial.announced:
        last = trial.lines[-1] if len(trial.lines) > 1 else "it printed nothing"
        return Verdict.FAIL, f"the script did not come to its first test: {last}"
    return _weigh(trial, detail)


def _ends(trial: _Trial) -> set[str]:
    return {"tx"} if trial.alone else {"tx", "rx"}


def _weigh(trial: _Trial, detail: dict[str, Any]) -> tuple[Verdict, str]:
    """Judge a trial that came to its end without a word of trouble."""
    for key, who in (("tx", "sender"), ("rx", "receiver")):
        if key in _ends(trial) and key not in detail:
            return Verdict.CRASH, f"the {who} went without its {key}= line"
    if sum(_RX.search(line) is not None for line in trial.lines) > 1:
        return Verdict.FAIL, "more than one receiver reported"
    if not trial.alone and not detail["rx"]:
        return Verdict.FAIL, "nothing was received"
    if trial.mode != "copy" and not detail["txc"]:
        return Verdict.FAIL, "no zerocopy completion came"
    if unexpected := _find(_UNEXPECTED, trial.lines):
        return Verdict.FAIL, unexpected[0]
    if trial.status:
        return Verdict.FAIL, f"the script ended with status {trial.status}"
    if "missing" in detail:
        return Verdict.PASS, f"missing notifications: {detail['missing']}"
    return Verdict.PASS, ""
