# SPDX-License-Identifier: GPL-2.0-only
"""Which jobs a matrix becomes, what they share, and what they want of a machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.jobs.ci.plan import plan
from kzc.jobs.ci.values import Job, Kind
from tests.unit.jobs.ci.samples import CATALOGUE, matrix


def planned(folder: Path, text: str, seen: dict[str, float] | None = None) -> dict[str, Job]:
    jobs = plan(matrix(folder, text), CATALOGUE, seen or {})
    assert len({job.name for job in jobs}) == len(jobs)
    return {job.name: job for job in jobs}


TWO = "[[ci.matrix]]\ntrees = ['old', 'new']\nseries = ['s']\ntopologies = ['loopback', 'nested']\n"


def test_tests_of_one_kernel_share_its_build(tmp_path: Path) -> None:
    jobs = planned(tmp_path, TWO)
    assert list(jobs) == [
        "old/s/build",
        "new/s/build",
        "old/s/loopback/vsock",
        "old/s/nested/vsock",
        "new/s/loopback/vsock",
        "new/s/nested/vsock",
    ]
    assert jobs["new/s/nested/vsock"].needs == ("new/s/build",)
    assert jobs["old/s/build"].argv == ("build", "s", "--tree", "old", "--profile", "default")
    assert jobs["old/s/nested/vsock"].argv == (
        *("run", "s", "--suite", "vsock", "--tree", "old", "--profile", "default"),
        *("--topology", "nested"),
    )


def test_a_suite_with_fragments_of_its_own_gets_a_kernel_of_its_own(tmp_path: Path) -> None:
    jobs = planned(tmp_path, "[[ci.matrix]]\ntrees = ['t']\nsuites = ['net', 'odd']\n")
    assert jobs["t/none/loopback/net"].needs == ("t/none/build",)
    assert jobs["t/none/loopback/odd"].needs == ("t/none/build+odd",)
    assert jobs["t/none/build+odd"].argv[-2:] == ("--suite", "odd")
    assert "--suite" not in jobs["t/none/build"].argv
    assert jobs["t/none/loopback/odd"].argv[:2] == ("test", "odd")


def test_a_suite_has_no_cell_where_it_cannot_run(tmp_path: Path) -> None:
    text = "[[ci.matrix]]\ntrees = ['t']\ntopologies = ['nested']\n"
    assert list(planned(tmp_path, text)) == ["t/none/build", "t/none/nested/vsock"]
    with pytest.raises(UsageError, match="net cannot run in nested"):
        planned(tmp_path, text + "suites = ['net']\n")


def test_what_is_excluded_is_not_there_and_all_excluded_is_a_mistake(tmp_path: Path) -> None:
    jobs = planned(tmp_path, TWO + "exclude = [{ tree = 'old', topology = 'nested' }]\n")
    assert "old/s/nested/vsock" not in jobs
    assert "new/s/nested/vsock" in jobs
    with pytest.raises(UsageError, match="no cell"):
        planned(tmp_path, TWO + "exclude = [{ series = 's' }]\n")


@pytest.mark.parametrize("field", ["exclude", "may_fail"])
@pytest.mark.parametrize(
    ("some", "said", "hint"),
    [
        ("tree = '6.13'", "no cell of its table has the tree 6.13", "there are: old, new"),
        ("series = 'typo'", "has the series typo", "there are: s"),
        ("topology = 'pair'", "has the topology pair", "there are: loopback, nested"),
        ("plan = 'smoke'", "has the plan smoke", "there are: none"),
        (
            "suite = 'net', topology = 'nested'",
            "has all of it: topology nested, suite net",
            "--plan",
        ),
    ],
)
def test_an_exception_that_means_no_cell_is_a_mistake(
    tmp_path: Path, field: str, some: str, said: str, hint: str
) -> None:
    text = TWO + "suites = ['vsock', 'net']\n"
    with pytest.raises(UsageError, match=said) as caught:
        planned(tmp_path, f"{text}{field} = [{{ tree = 'old' }}, {{ {some} }}]\n")
    assert caught.value.message.startswith(f"ci.matrix.0.{field}.1: ")
    assert hint in caught.value.hint


def test_a_build_is_required_as_soon_as_one_of_its_tests_is(tmp_path: Path) -> None:
    jobs = planned(tmp_path, TWO + "may_fail = [{ topology = 'nested' }, { tree = 'old' }]\n")
    required = [name for name, job in jobs.items() if job.required]
    assert required == ["new/s/build", "new/s/loopback/vsock"]


def test_who_requires_a_cell_outranks_who_lets_it_fail(tmp_path: Path) -> None:
    lax = TWO + "may_fail = true\n"
    jobs = planned(tmp_path, lax + TWO.replace("'old', ", ""))
    assert jobs["new/s/nested/vsock"].required
    assert not jobs["old/s/nested/vsock"].required


def test_what_jobs_want_follows_their_guests_unless_said_otherwise(tmp_path: Path) -> None:
    text = TWO.replace("nested", "pair") + "profiles = ['debug']\n"
    jobs = planned(tmp_path, text)
    assert jobs["old/s/debug/loopback/vsock"].wants.memory == 1536 + 256
    assert jobs["old/s/debug/pair/vsock"].wants.devices == ("vhost-vsock",)
    remote = planned(tmp_path, text + "host = 'ssh://root@lab'\n")["old/s/debug/pair/vsock"]
    assert remote.wants.devices == ()
    assert remote.argv[-2:] == ("--host", "ssh://root@lab")
    wished = "[ci.wants.loopback]\ncpus = 7\nmemory = '3G'\n"
    wants = planned(tmp_path, wished + text)["old/s/debug/loopback/vsock"].wants
    assert (wants.cpus, wants.memory) == (7, 3072)


def test_guests_that_need_kvm_need_its_device(tmp_path: Path) -> None:
    jobs = plan(matrix(tmp_path, TWO), replace(CATALOGUE, kvm=True), {})
    assert {job.wants.devices for job in jobs if job.kind is Kind.TEST} == {("kvm",)}


def test_a_plan_is_a_bench_on_a_kernel_that_can_be_measured(tmp_path: Path) -> None:
    jobs = planned(tmp_path, TWO + "suites = []\nplans = ['smoke']\n")
    bench = jobs["old/s/bench/smoke"]
    assert bench.kind is Kind.BENCH
    assert bench.needs == ("old/s/build+odd",)
    assert jobs["old/s/build+odd"].argv[-2:] == ("--suite", "odd")
    assert "old/s/build" not in jobs
    assert bench.argv[:4] == ("bench", "s", "--plan", "smoke")


def test_a_plan_brings_its_series_and_its_overlay_to_a_tree_as_it_is(tmp_path: Path) -> None:
    tree = "[[ci.matrix]]\ntrees = ['t']\nsuites = []\nplans = ['posted']\n"
    jobs = planned(tmp_path, tree)
    bench = jobs["t/none/bench/posted"]
    assert bench.argv[:3] == ("bench", "--plan", "posted")
    assert bench.needs == ("t/s/build+odd+local",)
    build = jobs["t/s/build+odd+local"]
    assert build.argv[:2] == ("build", "s")
    assert build.argv[-4:] == ("--suite", "odd", "--overlay", "local")


def test_past_durations_are_expected_again(tmp_path: Path) -> None:
    jobs = planned(tmp_path, TWO, {"old/s/build": 7.5})
    assert (jobs["old/s/build"].expected, jobs["old/s/build"].known) == (7.5, True)
    assert not jobs["new/s/build"].known


def test_two_jobs_of_one_name_are_a_mistake(tmp_path: Path) -> None:
    pair = "[[ci.matrix]]\ntrees = ['t']\nsuites = ['vsock']\ntopologies = ['pair']\n"
    with pytest.raises(UsageError, match="two jobs are called t/none/pair/vsock") as caught:
        planned(tmp_path, pair + pair + "host = 'ssh://lab'\n")
    assert "--host ssh://lab" in caught.value.hint
