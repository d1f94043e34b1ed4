# SPDX-License-Identifier: GPL-2.0-only
"""`kzc bench` where nothing is booted: plans, words that are wrong, kept benches and statuses."""

from __future__ import annotations

import csv
import io
import json
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kzc.bench.document import from_json
from kzc.bench.plan import Figure
from kzc.bench.result import Bench, journal
from kzc.bench.values import Cell, Clock, Mode
from kzc.cli.app import run
from kzc.results.store import Store
from kzc.values import Case, Outcome, Stage, Verdict
from tests.unit.bench import synthetic

PLAN = synthetic.PLAN.model_copy(
    update={"sizes": (64 << 10,), "figures": (Figure.CPU,), "transports": ("vsock",)}
)


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("cache", "data"):
        monkeypatch.setenv(f"KZC_{name.upper()}", str(tmp_path / name))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path)


def kept(data: Path, bench: Bench, finished: bool = True, db: str = "") -> str:
    """A run with that bench; its id."""
    command = ("kzc", "bench", "--plan", "mine")
    with suppress(KeyboardInterrupt), Store(data, db).create(command, {}, "0") as opened:
        with journal(opened.folder, bench) as written:
            for each in bench.rounds:
                written.add(each)
        cases = (Case("vsock loopback 64K copy", Verdict.PASS),)
        opened.append(Outcome(Stage.BENCH, "mine", Verdict.PASS, cases=cases))
        if not finished:
            raise KeyboardInterrupt
    return opened.run.id


def slower(cell: Cell) -> float:
    return synthetic.cost(cell) * (1.1 if cell.mode is Mode.ERRQUEUE else 1)


def test_the_list_names_all_plans(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", "--list"]) == 0
    shown = capsys.readouterr().out
    for name in ("vsock-cover", "scm-cover", "txzc", "latency", "smoke"):
        assert f"\n{name} " in f"\n{shown}"


def test_a_dry_run_says_all_cells_and_boots_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    began = time.process_time()
    assert run(["bench", "--plan", "vsock-cover", "--dry-run", "--topology", "loopback"]) == 0
    shown = capsys.readouterr().out
    assert "10 cells x 10 rounds = 100 over 2 boots" in shown
    assert "  vsock loopback 8M errqueue/1\n" in shown
    assert "left out: vsock g2h 4K copy: " in shown
    assert time.process_time() - began < 2


def test_rounds_and_a_plan_of_ones_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "mine.toml").write_text(
        'title = "mine"\ntransports = ["tcp"]\ndirections = ["loopback"]\n'
        'modes = ["copy"]\nsizes = ["4K"]\nfigures = ["cpu"]\n'
    )
    assert run(["bench", "--plan", "mine.toml", "--dry-run", "--rounds", "3"]) == 0
    assert "1 cells x 3 rounds = 3" in capsys.readouterr().out
    (tmp_path / "plans").mkdir()
    (tmp_path / "mine.toml").rename(tmp_path / "plans" / "mine.toml")
    assert run(["bench", "--plan", "mine", "--dry-run"]) == 2
    (tmp_path / "kzc.toml").touch()
    assert run(["bench", "--plan", "mine", "--dry-run"]) == 0
    assert run(["bench", "--list"]) == 0
    assert "\nmine " in capsys.readouterr().out


def test_a_dry_run_counts_the_rounds_on_each_kernel(
    kernel: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "--plan", "smoke", "--dry-run"]) == 0
    assert "12 cells x 3 rounds = 36 over 1 boot\n" in capsys.readouterr().out
    assert run(["tree", "add", "mine", str(kernel)]) == 0
    assert run(["bench", "--plan", "smoke", "--dry-run", "--base", "mine", "-t", "mine"]) == 0
    shown = capsys.readouterr().out
    assert "12 cells x 3 rounds x 2 kernels = 72 over 1 boot of each\n" in shown
    assert "; before it mine\n" in shown
    far = ["--base", "debian:linux-image-amd64"]
    assert run(["bench", "--plan", "smoke", "--dry-run", *far]) == 0
    shown = capsys.readouterr().out
    assert "x 2 kernels" in shown
    assert "not looked up: debian:linux-image-amd64, which would be fetched" in shown


def test_a_dry_run_says_what_the_plan_s_overlay_makes_of_it(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(["bench", "--plan", "scm-cover", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "NOT CLEAN: the kernel has bench-localhost-zerocopy" in shown
    assert "scm-zc-notification on the tree where it is run\n" in shown
    assert run(["bench", "--plan", "scm-cover", "--dry-run", "--overlay", "none"]) == 0
    assert "NOT CLEAN" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nope"], "nope is no series"),
        (["nope", "--tree", "debian:linux-source-6.12"], "nope is no series"),
        (["--tree", "nope"], "nope is no tree"),
        (["--base", "nope"], "nope is no kernel to choose"),
        (["--against", "nope"], "no run is called 'nope'"),
        (["--profile", "foo"], "there is no profile foo"),
        (["--overlay", "foo"], "foo is no overlay"),
        (["--clock", "sun"], "there is no clock sun"),
    ],
)
def test_a_dry_run_looks_names_up(
    kernel: Path, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", "--plan", "smoke", "--dry-run", *words]) == 2
    assert told in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "no plan"),
        (["--plan", "nonsense"], "there is no plan nonsense"),
        (["--plan", "smoke", "--topology", "ring"], "there is no topology ring"),
        (["--plan", "smoke", "--clock", "sun"], "there is no clock sun"),
        (["--plan", "smoke", "--format", "pdf"], "there is no format pdf"),
        (["--plan", "smoke", "--overlay", "nonsense"], "nonsense is no overlay"),
        (["--plan", "vsock-cover", "--against", "1234"], "no run is called '1234'"),
        (["--replay", "1234"], "no run is called '1234'"),
    ],
)
def test_what_is_not_there_is_named_with_status_2(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["bench", *words]) == 2
    assert told in capsys.readouterr().err


def test_a_kept_bench_is_shown_in_every_format(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bench = synthetic.bench(PLAN)
    name = kept(tmp_path / "data", bench)
    shown = {}
    for form in ("text", "markdown", "csv", "json"):
        assert run(["bench", "--replay", name, "--format", form]) == 0
        shown[form] = capsys.readouterr().out
    assert "| 64K " in shown["text"]
    assert "## made-up: made up" in shown["markdown"]
    assert len(list(csv.reader(io.StringIO(shown["csv"])))) == 3
    assert from_json(shown["json"], "stdout").bench == bench
    assert run(["bench", "--replay", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == json.loads(shown["json"])


def test_files_are_written_where_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = kept(tmp_path / "data", synthetic.bench(PLAN))
    assert run(["bench", "--replay", name, "--out", "a/b"]) == 0
    written = {path.name for path in (tmp_path / "a/b").iterdir()}
    assert written == {f"bench.{end}" for end in ("txt", "md", "csv", "json", "html")}
    (tmp_path / "file").touch()
    assert run(["bench", "--replay", name, "--out", "file"]) == 2
    assert "file: cannot be written" in capsys.readouterr().err


def test_a_bench_is_found_in_the_database_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KZC_DB", f"sqlite:///{tmp_path}/other.db")
    name = kept(tmp_path / "data", synthetic.bench(PLAN), db=f"sqlite:///{tmp_path}/other.db")
    assert run(["bench", "--replay", name]) == 0
    assert run(["bench", "--replay", name, "--against", name]) == 0


def test_a_folder_that_cannot_be_is_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(["bench", "--plan", "smoke", "--tree", "nowhere", "--out", "file"]) == 2
    assert "file: cannot be written" in capsys.readouterr().err


def test_status_1_is_for_worse_and_only_then(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = kept(tmp_path / "data", synthetic.bench(PLAN))
    same = kept(tmp_path / "data", synthetic.bench(PLAN, seed=2))
    worse = kept(tmp_path / "data", synthetic.bench(PLAN, seed=3, cost=slower))
    assert run(["bench", "--replay", same, "--against", before]) == 0
    assert run(["bench", "--replay", before, "--against", worse]) == 0
    assert "better" in capsys.readouterr().out
    assert run(["bench", "--replay", worse, "--against", before]) == 1
    assert "WORSE" in capsys.readouterr().out
    assert run(["bench", "--replay", worse, "--against", before, "--tolerance", "15"]) == 0
    assert "within tolerance" in capsys.readouterr().out


def test_two_clocks_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    counted = kept(tmp_path / "data", synthetic.bench(PLAN))
    wall = kept(tmp_path / "data", synthetic.bench(PLAN, clock=Clock.WALL))
    assert run(["bench", "--replay", wall, "--against", counted]) == 2
    assert "never compared" in capsys.readouterr().err


def test_a_run_of_something_else_has_no_bench(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store(tmp_path / "data").create(("kzc", "run"), {}, "0") as opened:
        opened.append(Outcome(Stage.TEST, "vsock", Verdict.PASS))
    assert run(["bench", "--replay", opened.run.id]) == 2
    assert "has no bench (kzc run)" in capsys.readouterr().err


def test_what_was_cut_short_says_so_and_is_no_success(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = synthetic.bench(PLAN)
    name = kept(tmp_path / "data", replace(whole, rounds=whole.rounds[:5]), finished=False)
    assert run(["bench", "--replay", name]) == 3
    assert "CUT SHORT: 5 of 20 rounds" in capsys.readouterr().out


def test_other_verbs_cope_with_such_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = kept(tmp_path / "data", synthetic.bench(PLAN))
    other = kept(tmp_path / "data", synthetic.bench(PLAN, seed=2))
    assert run(["report", name]) == 0
    assert run(["runs"]) == 0
    assert run(["compare", name, other]) == 0
    assert name in capsys.readouterr().out
