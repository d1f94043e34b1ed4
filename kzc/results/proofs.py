# SPDX-License-Identifier: GPL-2.0-only
"""What failed, with what proves it: facts, call traces taken apart, and the log around each case.

Rule: what a page takes is bounded in all, not per item. What is left out is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from markupsafe import escape

from kzc.results import logs, summary
from kzc.results.clean import cut
from kzc.results.logs import Excerpt, LogText, OpenLog, safe
from kzc.results.splat import Splat, splat
from kzc.results.verdicts import judge
from kzc.values import Case, Outcome, Run, Stage, Verdict

MOST = 60
_MARKUP = 20


@dataclass(frozen=True)
class Proof:
    """One failing subject: its evidence, its call trace and the lines of its log."""

    evidence: summary.Evidence
    splat: Splat | None = None
    excerpt: Excerpt | None = None
    log: str = ""

    @property
    def size(self) -> int:
        """About how many characters of a page it takes, escapes and all."""
        facts = [part for pair in self.evidence.facts for part in pair]
        texts = [line for _, block in self.evidence.blocks for line in block]
        texts += [*facts, self.evidence.repeat, self.evidence.reason]
        texts += self.excerpt.lines if self.excerpt else ()
        texts += self.splat.lines * 2 if self.splat else ()
        return sum(len(escape(text)) + _MARKUP for text in texts) + 10 * _MARKUP


@dataclass(frozen=True)
class Proofs:
    """An outcome that is not good, at its place in the run; `number` cases of it failed."""

    at: int
    stage: str
    whole: Proof
    cases: tuple[Proof, ...]
    number: int
    not_run: tuple[summary.Group, ...]


@dataclass
class _Room:
    """How many characters there is room for yet."""

    left: int
    logs: dict[str, LogText | None] = field(default_factory=dict)

    def fit(self, proof: Proof) -> Proof:
        if proof.size > self.left:
            proof = _bare(proof)
        self.left -= proof.size
        return proof


def proofs(run: Run, opened: OpenLog, room: int) -> Iterator[Proofs]:
    """Every outcome that is not good, the first `MOST` of them, in about `room` characters."""
    left = _Room(room)
    places = [at for at, outcome in enumerate(run.outcomes) if not judge(outcome).good]
    for at in places[:MOST]:
        outcome = run.outcomes[at]
        (failure,) = summary.failures(replace(run, outcomes=(outcome,)))
        text = _log(outcome, opened, left)
        whole = left.fit(_whole(failure.whole, outcome, text))
        ran = [case for case in outcome.cases if _ran(case)]
        pairs = zip(failure.cases, ran, strict=False)
        cases = tuple(left.fit(_case(evidence, case, text)) for evidence, case in pairs)
        yield Proofs(at, failure.stage, whole, cases, failure.number, failure.not_run)


def left_out(run: Run) -> int:
    """How many outcomes that are not good are beyond the first `MOST`."""
    return max(0, sum(not judge(outcome).good for outcome in run.outcomes) - MOST)


def _ran(case: Case) -> bool:
    return not case.verdict.good and case.verdict is not Verdict.NOT_RUN


def _log(outcome: Outcome, opened: OpenLog, left: _Room) -> LogText | None:
    log = safe(outcome.log)
    if not log or left.left <= 0:
        return None
    if log not in left.logs:
        left.logs.clear()  # one at a time: each may have megabytes
        left.logs[log] = logs.read(log, opened)
    return left.logs[log]


def _whole(evidence: summary.Evidence, outcome: Outcome, text: LogText | None) -> Proof:
    found = _splat(outcome.detail)
    shown = _without_trace(evidence) if found else evidence
    proof = Proof(shown, found, log=safe(outcome.log))
    if outcome.cases or found or outcome.detail.get("excerpt") or text is None:
        return proof
    if outcome.stage is Stage.CHECK or outcome.verdict is Verdict.NOT_RUN:
        return proof
    return replace(proof, excerpt=text.end())


def _case(evidence: summary.Evidence, case: Case, text: LogText | None) -> Proof:
    found = _splat(case.detail)
    shown = _without_trace(evidence) if found else evidence
    told = case.detail.get("excerpt") or case.detail.get("decoded")
    excerpt = text.around(case.name) if text and not told else None
    return Proof(shown, found, excerpt, safe(case.detail.get("log", "")))


def _splat(detail: Mapping[str, Any]) -> Splat | None:
    lines = detail.get("decoded") or detail.get("excerpt")
    return splat(_lines(lines), str(detail.get("signature", "")))


def _without_trace(evidence: summary.Evidence) -> summary.Evidence:
    """The trace is shown taken apart, and a single finding is that trace's own."""
    blocks = evidence.blocks[:-1]
    alone = (block for block in blocks if block[0] != "findings" or len(block[1]) > 1)
    return replace(evidence, blocks=tuple(alone))


def _lines(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def _bare(proof: Proof) -> Proof:
    said = "the evidence is left out here for its size; it is in the JSON report and the log"
    evidence = replace(
        proof.evidence, facts=(), blocks=(), repeat=cut(proof.evidence.repeat), hint=said
    )
    return Proof(evidence, None, None, proof.log)
