# SPDX-License-Identifier: GPL-2.0-only
"""One boot's rounds: asked for in parts, counted, and in the end an outcome that says how it went.

Rule: after a part that did not come back nothing more is asked of that guest.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from kzc.bench.values import Round
from kzc.bench.zcbench import Origin, Turn
from kzc.jobs.bench_guest import DEAD, Boot, Terms, not_measured, rounds_of
from kzc.jobs.evidence import Symbols
from kzc.jobs.workshop import Workshop, stopwatch
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.values import Answer, Ended, Outcome, Stage, Verdict


@dataclass
class Measuring:
    """The rounds of a boot, of which `measured`, `lacking` (this kernel cannot) and `failed` are
    counted, with the reason of the first that failed."""

    shopfloor: Workshop
    boot: Boot
    terms: Terms
    measured: int = 0
    lacking: int = 0
    failed: int = 0
    first: str = ""
    _seconds: Callable[[], float] = field(default_factory=stopwatch)

    def part(
        self, turns: tuple[Turn, ...], dead: str, run: Callable[[tuple[Turn, ...]], Answer]
    ) -> Generator[Round, None, str]:
        """Yields the turns' rounds; returns why nothing can be asked any more, if so (`dead`)."""
        found, dead = self.ask(turns, dead, run)
        yield from self.counted(found)
        return dead

    def ask(
        self, turns: tuple[Turn, ...], dead: str, run: Callable[[tuple[Turn, ...]], Answer]
    ) -> tuple[tuple[Round, ...], str]:
        """The turns' rounds, which are not counted yet, and what `part` returns."""
        origin = Origin(self.boot.kernel.label, self.boot.number, self.terms.clock)
        if dead:
            return not_measured(turns, origin, dead), dead
        answer = run(turns)
        if answer.ended is not Ended.EXIT:
            dead = f"an earlier round: {DEAD[answer.ended]}"
        return rounds_of(answer, turns, self.terms, origin), dead

    def counted(self, found: Iterable[Round]) -> Iterator[Round]:
        """The rounds, counted as they go."""
        for each in found:
            self._count(each)
            yield each

    def unmeasured(
        self, turns: tuple[Turn, ...], dead: str, run: Callable[[tuple[Turn, ...]], Answer]
    ) -> tuple[bool, str]:
        """Run turns of which nothing is kept: whether all could be, and what `part` returns."""
        if dead:
            return False, dead
        found, dead = self.ask(turns, "", run)
        return all(each.sender or each.lacks for each in found), dead

    def _count(self, found: Round) -> None:
        if found.sender is not None:
            self.measured += 1
        elif found.lacks:
            self.lacking += 1
        else:
            self.failed += 1
            self.first = self.first or found.reason

    def over(self, logs: Mapping[str, tuple[str, ...]], remark: str = "") -> Outcome:
        """Keep how it went, and `remark`; `logs` are the kernels' lines since the first round. A
        failed round fails it, and so does what a log says."""
        rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
        findings = [each for lines in logs.values() for each in kernel_log.scan(lines, rules)]
        reason = f"{self.measured} rounds"
        if self.lacking:
            reason += f", {self.lacking} that this kernel cannot"
        if self.failed:
            reason += f", {self.failed} failed: {self.first}"
        if findings:
            reason += f"; kernel log: {findings[0].text}"
        if remark:
            reason += f"; {remark}"
        verdict = Verdict.FAIL if self.failed or findings else Verdict.PASS
        if verdict is Verdict.PASS and not self.measured:
            verdict = Verdict.SKIP
        log = self.shopfloor.folder(f"bench-{self.boot.label}") / "control.log"
        detail = {**kernel_log.evidence(findings), "repeat": self.shopfloor.again}
        kept = Outcome(
            Stage.TEST,
            f"bench of {self.boot.label}",
            verdict,
            self._seconds(),
            self.shopfloor.relative(log),
            detail=detail,
            reason=reason,
        )
        symbols = Symbols(self.boot.kernel.kernel, self.boot.kernel.repo)
        return self.shopfloor.keep(symbols.decoded(kept, self.shopfloor.runner))
