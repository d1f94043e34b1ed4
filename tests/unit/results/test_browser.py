# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report as a browser shows it: no complaint and no request, with scripts and without, no
wider than a phone, legible in light and dark, and its comforts work. `KZC_REGEN=1` takes the
README's picture anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from kzc.results.browse import listing
from kzc.results.html import html, rendered
from kzc.results.page import Section
from kzc.results.wanted import Wanted
from kzc.values import Run
from tests.browser import PROGRAM, Browser, browser

from . import hostile, sample
from .test_web import Kept

PICTURE = Path(__file__).parents[3] / "docs" / "report.png"
LOG = (
    b"17 - SOCK_STREAM SHUT_RD...ok\n18 - SOCK_STREAM SIGPIPE...recv: " + b"very " * 60 + b"long\n"
)
CONTRAST = """(() => {
  const parts = (text) => {
    const found = text.match(/[\\d.]+/g).map(Number);
    if (text.startsWith("color(")) for (const at of [0, 1, 2]) found[at] *= 255;
    return found.length < 4 ? [...found, 1] : found;
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const behind = (node) => {
    const layers = [];
    for (let each = node; each; each = each.parentElement)
      layers.push(parts(getComputedStyle(each).backgroundColor));
    return layers.reduceRight((below, top) => over(top, below), [255, 255, 255]);
  };
  const light = (colour) => {
    const linear = (part) => part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.map((part) => linear(part / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const bad = new Set();
  let number = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || ["SCRIPT", "STYLE"].includes(node.tagName)) continue;
    const style = getComputedStyle(node), ink = node.ownerSVGElement ? style.fill : style.color;
    const back = behind(node), front = over(parts(ink), back);
    const [a, b] = [light(front), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    number += 1;
    if (ratio < 4.5) bad.add(node.tagName + "." + node.className + " " + ratio.toFixed(2));
  }
  return [number, [...bad]];
})()"""
WIDER = """[...document.querySelectorAll("body *")].filter((each) => {
  if (each.closest(".scroll, pre, nav ul, .skip, [hidden], .extra") !== null) return false;
  return each.getBoundingClientRect().right > innerWidth + 0.5;
}).map((each) => each.tagName + "." + each.className)"""

pytestmark = [
    pytest.mark.vm,
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(PROGRAM is None, reason="no chromium: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browser(tmp_path_factory.mktemp("chromium")) as made:
        yield made


def without_detail(run: Run) -> Run:
    """The run whose cases are explained by nothing but their log."""
    plain = [
        replace(each, cases=tuple(replace(case, detail={}) for case in each.cases))
        if each.subject == "vsock"
        else each
        for each in run.outcomes
    ]
    return replace(run, outcomes=tuple(plain))


@pytest.fixture
def page(tmp_path: Path) -> Path:
    plot = Section(
        "Rates", '<svg width="900" height="60"><text y="20" fill="currentColor">tx</text></svg>'
    )
    text = html(without_detail(sample.run()), lambda _: BytesIO(LOG), [plot])
    (tmp_path / "report.html").write_text(text)
    return tmp_path / "report.html"


@pytest.mark.parametrize("scripts", [True, False])
def test_it_opens_without_a_complaint_and_asks_for_nothing(
    tab: Browser, page: Path, scripts: bool
) -> None:
    tab.open(page, 1200, scripts=scripts)
    assert tab.complaints == []
    assert tab.addresses == [page.as_uri()]
    assert tab.value("document.querySelector('h1').innerText") == "CRASH"
    shown = "[...document.querySelectorAll('button')].filter((each) => each.offsetWidth).length"
    assert (tab.value(shown) > 0) == scripts
    assert tab.value("document.getElementById('made').offsetHeight") > 100


def test_what_comes_from_outside_does_nothing(tab: Browser, tmp_path: Path) -> None:
    page = tmp_path / "hostile.html"
    wild = "<img src=x onerror=alert(1)><script>alert(1)</script>\"'><b>" + "".join(hostile.NAMES)
    page.write_text(html(hostile.run(wild), lambda _: BytesIO(wild.encode(errors="replace"))))
    tab.open(page, 360)
    assert tab.complaints == []
    assert tab.addresses == [page.as_uri()]
    assert tab.value(WIDER) == []


@pytest.mark.parametrize("width", [360, 800, 1600])
def test_nothing_is_wider_than_the_window(tab: Browser, page: Path, width: int) -> None:
    tab.open(page, width)
    tab.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    assert tab.value("document.documentElement.scrollWidth") <= width
    assert tab.value(WIDER) == []


@pytest.mark.parametrize("dark", [True, False])
def test_all_text_is_legible(tab: Browser, page: Path, dark: bool) -> None:
    tab.open(page, 1200, dark=dark)
    tab.value("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    back = tab.value("getComputedStyle(document.body).backgroundColor")
    assert (back == "rgb(17, 19, 22)") == dark
    number, bad = tab.value(CONTRAST)
    assert number > 200
    assert bad == []


def test_the_list_of_kept_runs(tab: Browser, tmp_path: Path) -> None:
    page = tmp_path / "index.html"
    runs = (sample.run(), sample.clean_run(), hostile.run("<b>" + "x" * 500))
    crashed = Wanted(verdict="crash")
    found = listing(Kept(runs, {crashed: runs}), crashed, 1)
    page.write_text(rendered("index.html.j2", list=found))
    tab.open(page, 360, dark=True)
    assert (tab.complaints, tab.addresses) == ([], [page.as_uri()])
    assert tab.value(WIDER) == []
    assert tab.value(CONTRAST)[1] == []
    assert tab.value("document.querySelector('select[name=verdict]').value") == "crash"


def test_the_comforts(tab: Browser, page: Path) -> None:
    tab.open(page, 1200)
    tab.value(
        "const field = document.getElementById('find'); field.value = 'sigpipe fail';"
        "field.dispatchEvent(new Event('input'));"
        "new Promise((done) => setTimeout(done, 250))"
    )
    assert tab.value("document.getElementById('found').innerText") == "1 found"
    assert tab.value("[...document.querySelectorAll('details.suite')].map((x) => x.open)") == [
        True,
        False,
    ]
    tab.value(
        "document.querySelector('button[data-copy]').click();"
        "new Promise((done) => setTimeout(done, 50))"
    )
    assert tab.value("document.querySelector('button[data-copy]').innerText") in {
        "copied",
        "press Ctrl-C",
    }
    tab.value("location.hash = '#s7'; new Promise((done) => setTimeout(done, 100))")
    assert tab.value("document.getElementById('s7').open")


def test_the_picture_of_the_readme(tab: Browser, tmp_path: Path) -> None:
    log = b"17 - SOCK_STREAM SHUT_RD...ok\n18 - SOCK_STREAM SIGPIPE...\n"
    log += b"recv: expected EPIPE, got Connection reset by peer\n=== status 1\n"
    page = tmp_path / "report.html"
    page.write_text(html(without_detail(sample.run()), lambda _: BytesIO(log)))
    tab.open(page, 1000)
    picture = tab.picture(1150)
    if os.environ.get("KZC_REGEN"):
        PICTURE.write_bytes(picture)
    assert picture.startswith(b"\x89PNG")
    assert 10_000 < PICTURE.stat().st_size < 300_000
