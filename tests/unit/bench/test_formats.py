# SPDX-License-Identifier: GPL-2.0-only
"""What the formats show, against golden files (`KZC_REGEN=1 pytest` writes them anew)."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest

from kzc.bench import document, formats, html
from kzc.bench.compare import Comparison, Side, compared
from kzc.bench.order import Missing
from kzc.bench.plots import Plot, plots
from kzc.bench.report import report
from kzc.bench.result import Bench, journal, load
from kzc.bench.values import Cell, Clock, Mode
from kzc.errors import UsageError
from kzc.results.clean import code, sentence, short

from . import synthetic

GOLDEN = Path(__file__).parents[2] / "data" / "bench"
EVIL = "\x1b[31mred <script>alert(1)</script> | `x` \u202e"


def long(text: str) -> str:
    return short(text, 4000)


def sample() -> Bench:
    """Copied and zerocopy, one outlier, one cell that the kernel lacks, one that cannot be."""
    bench = synthetic.bench(copied=synthetic.local_copies)
    lacking = Cell("tcp", 4, "loopback", Mode.ERRQUEUE, 4096)
    rounds = [
        replace(each, sender=None, lacks=True, reason="setsockopt: Operation not supported")
        if each.cell == lacking
        else each
        for each in bench.rounds
    ]
    place = next(n for n, each in enumerate(rounds) if each.cell.transport == "vsock")
    sender = rounds[place].sender
    assert sender is not None
    slow = replace(sender, whole=sender.whole * 2, system=sender.system * 2, enobufs=7)
    rounds[place] = replace(rounds[place], sender=slow)
    no = Missing(replace(lacking, transport="udp", size=1 << 20), "a datagram is too small")
    return replace(bench, rounds=tuple(rounds), missing=(no,), wanted=len(rounds))


def against() -> Comparison:
    return compared(Side(synthetic.bench(seed=5), "tree"), Side(sample(), "tree"))


Format = Callable[[Bench, Comparison | None], str]
SHOWN: dict[str, Format] = {
    "txt": lambda bench, against: formats.text(report(bench, against), long),
    "md": lambda bench, against: formats.markdown(report(bench, against), sentence, code),
    "csv": lambda bench, _: formats.table_csv(bench, long),
}
EVERY: dict[str, Format] = {
    **SHOWN,
    "json": document.to_json,
    "html": lambda bench, against: html.page(bench, long, against),
}
# without sizes to draw lines through, so that no plot takes time
PLAIN = synthetic.PLAN.model_copy(update={"sizes": (64 << 10,)})


@cache
def drawn() -> Bench:
    """One path by one figure: two plots, as each of them takes its time."""
    few = {"transports": ("vsock",), "figures": synthetic.PLAN.figures[1:]}
    return synthetic.bench(synthetic.PLAN.model_copy(update=few))


@cache
def plotted() -> tuple[Plot, ...]:
    return plots(drawn())


@cache
def page() -> str:
    before = synthetic.bench(drawn().plan, seed=5)
    return html.page(drawn(), long, compared(Side(before, "tree"), Side(drawn(), "tree")))


@pytest.mark.parametrize("name", SHOWN)
def test_the_sample_looks_as_before(name: str) -> None:
    golden = GOLDEN / f"bench.{name}"
    shown = SHOWN[name](sample(), against())
    if os.environ.get("KZC_REGEN"):
        golden.write_text(shown)
    assert shown == golden.read_text()


@pytest.mark.parametrize("name", EVERY)
def test_instructions_are_never_shown_as_a_rate_of_anything_real(name: str) -> None:
    shown = page() if name == "html" else EVERY[name](sample(), against())
    assert "instructions per message" in shown
    told = shown.replace('"unit": "Gbit/s"', "")  # the plan's wish for wall time
    for unit in ("Gbit/s", "MB/s", "µs"):
        assert unit not in told


@pytest.mark.parametrize("name", EVERY)
def test_wall_time_without_kvm_is_marked_everywhere(name: str) -> None:
    emulated = synthetic.bench(PLAIN, clock=Clock.WALL)
    assert "not for posting" in EVERY[name](emulated, None).lower()
    real = synthetic.bench(PLAIN, clock=Clock.WALL, kvm=True)
    assert "not for posting" not in EVERY[name](real, None).lower()
    assert "Gbit/s" in EVERY[name](real, None)


@pytest.mark.parametrize("name", ["txt", "md", "json", "html"])
def test_what_is_unclean_or_cut_short_is_marked(name: str) -> None:
    bench = replace(synthetic.bench(PLAIN), unclean="bench-localhost-zerocopy", wanted=1000)
    shown = EVERY[name](bench, None)
    assert "NOT CLEAN" in shown
    assert "40 of 1,000 rounds" in shown


def test_a_copied_cell_never_shows_a_speed_up() -> None:
    shown = formats.text(report(sample()), long)
    rows = [line for line in shown.split("\n") if line.startswith("| 64K") and "100 %" in line]
    assert len(rows) == 2
    assert all("copied [" in row for row in rows)


def test_the_table_has_a_line_for_each_figure_of_each_cell() -> None:
    lines = list(csv.DictReader(io.StringIO(SHOWN["csv"](sample(), None))))
    assert len(lines) == 16
    (lacking,) = (line for line in lines if line["n"] == "0" and line["figure"] == "cpu")
    assert "SO_ZEROCOPY" in lacking["note"]
    assert tuple(lines[0]) == formats.COLUMNS


def test_json_reads_back_as_it_was_written_and_has_its_schema() -> None:
    for comparison in (None, against()):
        text = document.to_json(sample(), comparison)
        found = document.from_json(text, "here")
        assert found == document.document(sample(), comparison)
        assert found.bench == sample()
    data = json.loads(text)
    assert data["bench"]["schema"] == "kzc-bench/1"
    assert set(data) == set(document.schema()["properties"])
    assert len(data["cells"]) == 16


@pytest.mark.parametrize("text", ["", "{}", "[1]", '{"bench": {"schema": "kzc-bench/9"}}'])
def test_json_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="here: no bench of kzc's"):
        document.from_json(text, "here")


def test_a_journal_keeps_each_round_at_once(tmp_path: Path) -> None:
    bench = sample()
    assert load(tmp_path) is None
    with journal(tmp_path, bench) as kept:
        for number, each in enumerate(bench.rounds[:3], 1):
            kept.add(each)
            found = load(tmp_path)
            assert found == kept.bench
            assert found is not None
            assert len(found.rounds) == number
            assert not found.whole
    assert load(tmp_path) == replace(bench, rounds=bench.rounds[:3])


def test_a_round_that_was_cut_is_passed_over_and_a_damaged_one_is_not(tmp_path: Path) -> None:
    bench = sample()
    with journal(tmp_path, bench) as kept:
        for each in bench.rounds[:3]:
            kept.add(each)
    path = tmp_path / "bench" / "rounds.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    found = load(tmp_path)
    assert found is not None
    assert found.rounds == bench.rounds[:2]
    path.write_bytes(whole[20:])
    with pytest.raises(UsageError, match=r"rounds\.jsonl: line 1 is damaged"):
        load(tmp_path)


def test_there_is_a_plot_for_each_path_and_for_the_gain() -> None:
    assert [plot.name for plot in plotted()] == ["cpu-vsock-loopback-tree", "cpu-gain-tree"]


def test_intervals_have_a_plot_of_their_own() -> None:
    plan = synthetic.PLAN.model_copy(
        update={
            "modes": (Mode.ERRQUEUE, Mode.NOTIFICATION),
            "against": Mode.ERRQUEUE,
            "intervals": (1, 32),
            "sizes": (4096,),
            "layout": "modes",
            "figures": synthetic.PLAN.figures[1:],
            "transports": ("tcp",),
        }
    )
    bench = synthetic.bench(plan)
    assert [plot.name for plot in plots(bench)] == ["cpu-interval-tree"]
    assert "notification / errqueue" in formats.text(report(bench), long)


@pytest.mark.parametrize("place", [0, 1])
def test_a_plot_is_whole_loads_nothing_and_has_the_colour_of_its_surroundings(place: int) -> None:
    plot = plotted()[place]
    tree = ElementTree.fromstring(plot.svg)
    assert tree.tag.endswith("svg")
    assert "currentColor" in plot.svg
    assert "prefers-color-scheme" in plot.svg
    ElementTree.fromstring(plot.inline)
    assert "<style>svg" not in plot.inline
    addresses = re.findall(r'(?:href="|url\()([^")]+)', plot.svg)
    assert all(address.startswith("#") for address in addresses)
    assert not re.search(r"20\d\d-\d\d-\d\d", plot.svg)


def test_the_same_bench_gives_the_same_plots_in_another_thread_too() -> None:
    again: list[tuple[Plot, ...]] = []
    one = plotted()[0]
    thread = threading.Thread(target=lambda: again.append(plots(drawn(), one.name)))
    thread.start()
    thread.join()
    assert again == [(one,)]


class Page(HTMLParser):
    """Tags and what they refer to; every tag has to be closed in order."""

    VOID = frozenset({"meta", "br", "hr", "img", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.ids += [value or "" for name, value in attrs if name == "id"]
        names = ("href", "src", "xlink:href", "action", "data")
        self.addresses += [value or "" for name, value in attrs if name in names]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    found = Page(page())
    assert found.open == []
    assert found.seen.count("svg") == len(plotted())
    assert found.seen.count("table") == 4
    assert all(address.startswith("#") for address in found.addresses)
    assert len(found.ids) == len(set(found.ids))
    assert "script" not in found.seen
    assert "link" not in found.seen


def test_the_fragment_is_a_section_without_style() -> None:
    text = html.fragment(synthetic.bench(PLAIN), long)
    found = Page(text)
    assert found.seen[0] == "section"
    assert "html" not in found.seen
    assert text.startswith('<section class="bench">')


def test_what_a_guest_says_is_shown_and_does_nothing() -> None:
    bench = synthetic.bench(PLAIN)
    bad = replace(bench.rounds[0], sender=None, reason=EVIL)
    bench = replace(bench, rounds=(bad, *bench.rounds[1:]), command=EVIL, setup={"QEMU": EVIL})
    for name, make in EVERY.items():
        shown = make(bench, None)
        assert "alert(1)" in shown
        if name != "json":
            assert "\x1b" not in shown
            assert "\u202e" not in shown
        if name == "html":
            assert "script" not in Page(shown).seen
        if name == "md":
            assert "<script" not in re.sub(r"(`+).*?\1", "", shown)
            assert len({line.count("|") for line in shown.split("\n") if EVIL[5:8] in line}) <= 2
