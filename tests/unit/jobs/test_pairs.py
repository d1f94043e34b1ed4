# SPDX-License-Identifier: GPL-2.0-only
"""Which boots of a pair's guest are no verdict on its kernel."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from kzc.jobs.pairs import Meeting, killed, tried_again
from kzc.jobs.workshop import Workshop
from kzc.values import Case, Ended, Outcome, Stage, Verdict

MISPLACED = (Path(__file__).parents[2] / "data" / "guest" / "misplaced.log").read_text()
LOST = {Ended.GONE, Ended.SILENCE, Ended.STALLED}


@pytest.mark.parametrize("ended", Ended)
def test_only_what_an_emulation_loses_is_tried_again(ended: Ended) -> None:
    assert tried_again(ended, taken=False, emulated=True) is (ended in LOST)
    assert not tried_again(ended, taken=False, emulated=False)


@pytest.mark.parametrize("emulated", [True, False])
def test_a_guest_whose_cid_was_taken_gets_another(emulated: bool) -> None:
    assert tried_again(Ended.GONE, taken=True, emulated=emulated)
    assert not tried_again(Ended.EXIT, taken=True, emulated=emulated)
    assert not tried_again(Ended.PANIC, taken=True, emulated=emulated)


def test_a_guest_that_the_emulation_killed_twice_is_no_crash_of_the_kernels() -> None:
    cases = (Case("a", Verdict.PASS), Case("b", Verdict.CRASH), Case("c", Verdict.NOT_RUN))
    outcome = Outcome(Stage.TEST, "vsock nested", Verdict.CRASH, cases=cases, reason="crash: b")
    found = killed(outcome, twice=True)
    assert found.verdict is Verdict.INFRA
    assert [case.verdict for case in found.cases] == [Verdict.PASS, Verdict.INFRA, Verdict.NOT_RUN]
    assert found.reason.endswith("no CPU delivers, twice")


def test_the_second_try_says_what_became_of_the_first() -> None:
    outcome = Outcome(Stage.TEST, "vsock nested", Verdict.FAIL, reason="1 fail")
    found = killed(outcome, twice=False)
    assert found.verdict is Verdict.FAIL
    assert found.reason.startswith("1 fail; emulated SVM killed the guest")


@pytest.mark.parametrize(
    ("killed_goes", "verdict"), [(0, Verdict.FAIL), (1, Verdict.FAIL), (2, Verdict.INFRA)]
)
def test_what_the_emulation_killed_is_done_once_more(
    shopfloor: Workshop, monkeypatch: pytest.MonkeyPatch, killed_goes: int, verdict: Verdict
) -> None:
    logs = [MISPLACED] * killed_goes + ["all is well\n"]
    goes = 0

    def once(meeting: Meeting) -> tuple[Outcome, ...]:
        nonlocal goes
        (shopfloor.folder("test-vsock") / "console.log").write_text(logs[goes])
        goes += 1
        return (
            shopfloor.keep(Outcome(Stage.BOOT, "guest", Verdict.PASS)),
            Outcome(Stage.TEST, meeting.name, Verdict.FAIL, reason=f"go {goes}"),
        )

    monkeypatch.setattr(Meeting, "_once", once)
    side, nothing = cast("Any", SimpleNamespace(emulated=True)), cast("Any", None)
    found = Meeting(shopfloor, side, nothing, nothing, nothing, nothing, "vsock", {}).test()
    assert goes == min(killed_goes + 1, 2)
    assert found[-1].verdict is verdict
    kept = [each for each in shopfloor.run.run.outcomes if each.stage is Stage.TEST]
    assert kept == [found[-1]]
