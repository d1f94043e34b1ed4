# SPDX-License-Identifier: GPL-2.0-only
"""Which run tells of a claim, and what its cases or figures say of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from kzc.bench.order import name_of
from kzc.bench.result import Bench
from kzc.bench.values import Cell, Clock, Mode
from kzc.jobs.bench_outcome import outcome as outcome_of
from kzc.jobs.seeds import Known, Shelf, documents
from kzc.seeds.manifest import Claim, Seed
from kzc.seeds.values import Answer, Word
from kzc.values import Case, Outcome, Run, Stage, Verdict
from tests.unit.bench import synthetic

PASS, FAIL, SKIP, XFAIL = Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.XFAIL
KNOWN = Known(frozenset({"vsock"}), frozenset({"made-up"}))
FACTS = {"tree": "6.12", "series": "mine with over", "profile": "default", "accelerator": "tcg: no"}
COST = Claim.model_validate(
    {
        "name": "cost",
        "says": "It costs less.",
        "plan": "made-up",
        "figure": "cpu",
        "cell": "tcp4 loopback {at} errqueue/1",
        "of": "tcp4 loopback {at} copy",
        "rule": "same side",
        "points": [{"at": "64K", "posted": 3, "posted_of": 4}],
    }
)
CASES = Claim(name="works", says="It works.", suite="vsock", cases=("a*",))


def suite(*cases: Case, subject: str = "vsock") -> Outcome:
    return Outcome(Stage.TEST, subject, PASS, cases=cases)


def run(name: str, *outcomes: Outcome, **facts: str) -> Run:
    return Run(name, f"2026-11-22T05:58:{name}Z", ("kzc",), "0", FACTS | facts, outcomes, "done")


def answer(claim: Claim, runs: Sequence[Run], bench: Bench | None = None) -> Answer:
    """What becomes of one claim by these runs, the newest first."""
    seed = Seed(seed="009", title="t", author="a", what="w", tree="6.12", claims=(claim,))
    by_id = {each.id: each for each in runs}
    heads = [
        replace(each, outcomes=tuple(replace(o, cases=(), detail={}) for o in each.outcomes))
        for each in runs
    ]
    shelf = Shelf(heads, by_id.__getitem__, lambda _: bench)
    return documents([seed], shelf, KNOWN)[0].answers[0]


def benched(bench: Bench, **facts: str) -> Run:
    return run("1", outcome_of(bench, 1, "kzc bench"), **facts)


def with_point(**changes: object) -> Claim:
    return COST.model_copy(update={"points": (COST.points[0].model_copy(update=changes),)})


def test_figures_are_those_of_the_rounds_with_their_interval() -> None:
    bench = synthetic.bench()
    found = answer(COST, [benched(bench)], bench)
    assert found.word is Word.HOLDS
    (point,) = found.points
    assert point.posted == "75 % (3 of 4)"
    assert "instructions per message" in point.found
    assert found.made is not None
    assert found.made.kernel == "6.12 with mine with over"
    assert "instructions time, loopback" in found.made.how
    assert found.command == "kzc bench --plan made-up --tree 6.12"


def test_what_was_posted_the_other_way_round_does_not_hold() -> None:
    bench = synthetic.bench()
    found = answer(with_point(posted=5.0), [benched(bench)], bench)
    assert found.word is Word.NOT
    assert "is not above 100" in found.why


def test_what_was_copied_tells_nothing_but_that() -> None:
    bench = synthetic.bench(copied=synthetic.local_copies)
    found = answer(COST, [benched(bench)], bench)
    assert found.word is Word.UNTOLD
    assert "100% of the completions say copied" in found.why
    alone = answer(COST, [benched(bench)])
    assert alone.word is Word.UNTOLD
    assert "say copied" in alone.why


def test_a_claim_on_what_is_copied_takes_its_figures() -> None:
    bench = synthetic.bench(copied=synthetic.local_copies)
    claim = COST.model_copy(update={"may_copy": True})
    assert answer(claim, [benched(bench)], bench).word is Word.HOLDS
    assert answer(claim, [benched(bench)]).word is Word.HOLDS


def test_shares_of_completions_are_figures_too() -> None:
    bench = synthetic.bench(copied=synthetic.local_copies)
    wants = {"of": "", "rule": None, "points": ({"at": "64K", "rule": "at least 100"},)}
    for figure in ("copied", "completed"):
        claim = Claim.model_validate(COST.model_dump() | wants | {"figure": figure})
        assert answer(claim, [benched(bench)], bench).word is Word.HOLDS, figure
    seen = answer(claim, [benched(bench)], bench).points[0].found
    assert seen.startswith("100.0 % (")


def test_a_round_that_lost_completions_is_not_left_out_of_their_share() -> None:
    bench = synthetic.bench()
    wants = {"of": "", "rule": None, "points": ({"at": "64K", "rule": "at least 100"},)}
    claim = Claim.model_validate(COST.model_dump() | wants | {"figure": "completed"})
    cell = claim.cell.replace("{at}", "64K")
    (at, *_) = (n for n, each in enumerate(bench.rounds) if name_of(each.cell) == cell)
    lost = replace(bench.rounds[at], sender=None, reason="3 of 64 completions came")
    rounds = (*bench.rounds[:at], lost, *bench.rounds[at + 1 :])
    bench = replace(bench, rounds=rounds)
    found = answer(claim, [benched(bench)], bench)
    assert (found.word, found.why) == (Word.UNTOLD, "64K: 3 of 64 completions came")


def test_without_rounds_what_the_cases_tell_is_taken() -> None:
    bench = synthetic.bench()
    assert answer(COST, [benched(bench)]).word is Word.HOLDS


def test_a_figure_that_is_not_known_or_a_cell_that_is_not_there_cannot_be_told() -> None:
    bench = synthetic.bench()
    later = COST.model_copy(update={"figure": "seek"})
    assert answer(later, [benched(bench)], bench).why.endswith("made-up has no figure seek")
    assert answer(with_point(at="2M"), [benched(bench)], bench).word is Word.UNTOLD


def test_wall_time_of_an_emulator_is_no_evidence() -> None:
    bench = synthetic.bench(clock=Clock.WALL)
    found = answer(COST, [benched(bench)], bench)
    assert found.why == "never run: kzc bench --plan made-up --tree 6.12"
    real = synthetic.bench(clock=Clock.WALL, kvm=True)
    assert answer(COST, [benched(real)], real).word is Word.HOLDS


def test_a_cell_that_the_kernel_lacks_says_what_it_lacks() -> None:
    made = synthetic.bench()
    lacking = Cell("tcp", 4, "loopback", Mode.ERRQUEUE, 64 << 10)
    rounds = tuple(
        replace(each, sender=None, lacks=True, reason="SO_ZEROCOPY: Operation not supported")
        if each.cell == lacking
        else each
        for each in made.rounds
    )
    bench = replace(made, rounds=rounds)
    found = answer(COST, [benched(bench)], bench)
    assert found.word is Word.UNTOLD
    assert "Operation not supported" in found.why


@pytest.mark.parametrize(
    ("cases", "word", "why"),
    [
        ([Case("a1", PASS), Case("a2", PASS), Case("b", FAIL)], Word.HOLDS, ""),
        ([Case("a1", PASS), Case("a2", FAIL, reason="lost")], Word.NOT, "a2: fail: lost"),
        ([Case("a1", SKIP), Case("a2", XFAIL, reason="known")], Word.NOT, "a2: xfail: known"),
        ([Case("a1", PASS), Case("a2", SKIP, reason="no IPv6")], Word.UNTOLD, "skip: no IPv6"),
        ([Case("b", PASS)], Word.UNTOLD, "a*: the run has no such case"),
    ],
)
def test_cases_have_to_pass_all_of_them(cases: list[Case], word: Word, why: str) -> None:
    found = answer(CASES, [run("1", suite(*cases))])
    assert found.word is word
    assert why in found.why


def test_programs_that_did_not_build_are_no_run_of_their_suite() -> None:
    broken = Outcome(Stage.TEST, "vsock", FAIL, reason="bench.c did not build")
    found = answer(CASES, [run("2", broken), run("1", suite(Case("a", PASS)))])
    assert found.made is not None
    assert found.made.run == "1"
    assert answer(CASES, [run("2", broken)]).why.startswith("never run: kzc test vsock")


def test_a_claim_may_want_what_is_known_to_be_otherwise() -> None:
    claim = CASES.model_copy(update={"ends": (XFAIL,)})
    assert answer(claim, [run("1", suite(Case("a", XFAIL)))]).word is Word.HOLDS
    assert answer(claim, [run("1", suite(Case("a", PASS)))]).word is Word.NOT


def test_the_newest_run_that_has_all_of_it_tells() -> None:
    good, bad, other = suite(Case("a", PASS)), suite(Case("a", FAIL)), suite(Case("b", PASS))
    found = answer(CASES, [run("3", other), run("2", bad), run("1", good)])
    assert found.made is not None
    assert (found.made.run, found.word) == ("2", Word.NOT)
    both = answer(CASES, [run("3", other), run("2", suite(Case("a", SKIP)))])
    assert both.made is not None
    assert both.made.run == "3"


@pytest.mark.parametrize(
    ("wants", "facts", "subject", "fits"),
    [
        ({"series": "mine"}, {}, "vsock", True),
        ({"series": "mine"}, {"series": "none"}, "vsock", False),
        ({"overlay": "over"}, {"measurement_only": "over"}, "vsock", True),
        ({"overlay": "over"}, {}, "vsock", False),
        ({"overlay": "none"}, {"measurement_only": "over"}, "vsock", False),
        ({"overlay": "none"}, {}, "vsock", True),
        ({}, {"measurement_only": "over"}, "vsock", True),
        ({}, {}, "vsock nested", False),
        ({"topology": "nested"}, {}, "vsock nested", True),
        ({}, {}, "vsock under faults", False),
        ({}, {}, "vsockmine", False),
    ],
)
def test_only_runs_of_what_the_claim_is_about_count(
    wants: dict[str, str], facts: dict[str, str], subject: str, fits: bool
) -> None:
    claim = CASES.model_copy(update=wants)
    found = answer(claim, [run("1", suite(Case("a", PASS), subject=subject), **facts)])
    assert (found.made is not None) is fits
    assert fits or found.why.startswith("never run: kzc ")


def test_a_run_over_many_trees_says_which_tree_and_series() -> None:
    job = {"suite": "vsock", "tree": "7.3", "series": "none", "topology": "loopback", "name": "j"}
    kept = replace(suite(Case("a", PASS), subject="7.3/none/loopback/vsock"), detail={"job": job})
    found = answer(CASES, [run("1", kept)])
    assert found.made is not None
    assert found.made.kernel == "7.3"
    further = {"job": {**job, "boot": "copy"}}
    more = replace(suite(Case("a", FAIL), subject="j: vsock copy"), detail=further)
    assert answer(CASES, [run("1", kept, more)]).word is found.word
    assert answer(CASES, [run("1", more)]).made is None


@pytest.mark.parametrize(
    ("claim", "why", "command"),
    [
        (CASES.model_copy(update={"suite": "vhost-net"}), "this kzc has no suite vhost-net", True),
        (COST.model_copy(update={"plan": "later"}), "this kzc has no plan later", True),
        (Claim(name="n", says="s", untold="no profile is taken"), "no profile is taken", False),
    ],
)
def test_what_this_version_cannot_prove_is_said(claim: Claim, why: str, command: bool) -> None:
    found = answer(claim, [])
    assert (found.word, found.why, bool(found.command)) == (Word.UNTOLD, why, command)


@pytest.mark.parametrize(
    ("wants", "command"),
    [
        ({}, "kzc test vsock --tree 6.12"),
        ({"series": "s", "topology": "nested"}, "kzc run s --suite vsock --topology nested"),
        ({"overlay": "none"}, "kzc test vsock --tree 6.12"),
        ({"profile": "compat"}, "kzc test vsock --profile compat --tree 6.12"),
    ],
)
def test_the_command_that_proves_it(wants: dict[str, str], command: str) -> None:
    assert command in answer(CASES.model_copy(update=wants), []).why
