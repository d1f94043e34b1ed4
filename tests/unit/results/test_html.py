# SPDX-License-Identifier: GPL-2.0-only
"""The HTML report: whole, self-contained, bounded, accessible in its structure, and nothing that
comes from outside is markup in it. How it looks is test_browser.py's."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from io import BytesIO
from typing import BinaryIO

import pytest

from kzc.results import page as pages
from kzc.results.html import html, policy
from kzc.results.logs import none
from kzc.results.page import Section, page
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import hostile, sample

VOID = {"meta", "link", "input", "br", "col"}
OPTIONAL = {"td", "tr"}  # whose end tag HTML lets one leave out


class Structure(HTMLParser):
    """Tags, attributes and texts; fails on what is not nested."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, key, value or "") for key, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] != tag and self.open[-1] in OPTIONAL:
            self.open.pop()
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


def log(path: str) -> BinaryIO | None:
    return (
        BytesIO(b"17 - SHUT_RD...ok\n18 SOCK_STREAM SIGPIPE... <b>failed</b>\n") if path else None
    )


def test_it_tells_the_essentials_with_the_verdict_first() -> None:
    shown = html(sample.run(), log)
    text = " ".join("".join(Structure(shown).texts).split())
    for needed in (
        *("9f3c1d7ab2e4", "scm-zc-notification", "5be01c77", "7.2.22", "1.42", "tcg", "0.1.0"),
        *("20 SOCK_STREAM MSG_ZEROCOPY", "virtio_transport_recv_pkt", "ECONNRESET", "EOPNOTSUPP"),
        *("logs/test-vsock.log", "the guest died in test 20", "--profile debug"),
        *("kzc run scm-zc-notification", "31 pass", "1 fail", "gcc 12.2.0"),
        *("unused variable 'zc_info_size'", "1/4", "applies", "copied"),
    ):
        assert needed in text, needed
    assert shown.index("<h1>CRASH</h1>") < shown.index('<section id="failed"')


def test_a_failing_case_has_the_lines_of_its_log() -> None:
    run = sample.run()
    whole = run.outcomes[6]
    cases = tuple(replace(case, detail={}) for case in whole.cases)
    run = replace(run, outcomes=(replace(whole, cases=cases, log="logs/test-vsock.log"),))
    shown = html(run, log)
    assert '<span class="hit">18 SOCK_STREAM SIGPIPE... &lt;b&gt;failed&lt;/b&gt;</span>' in shown
    assert "17 - SHUT_RD...ok" in shown


def test_it_needs_nothing_else_and_no_script() -> None:
    shown = html(sample.run(), none)
    structure = Structure(shown)
    assert structure.tags["script"] == 1
    assert not re.search(
        r"\b(?:https?:)?//\w", re.sub(r"<(style|script)>.*?</\1>", "", shown, flags=re.S)
    )
    assert "@import" not in shown
    assert "url(" not in shown
    assert [value for value in structure.values("href") if not value.startswith("#")] == ["data:,"]
    assert not structure.values("src")
    assert "default-src 'none'" in policy()
    assert "connect-src" not in policy()
    # what only a script can do is not there without one
    buttons = shown.count('<button class="copy" type="button" hidden')
    assert buttons == shown.count("<button") > 0
    assert '<form class="find" role="search" hidden>' in shown


def test_the_structure_is_one_that_readers_find_their_way_in() -> None:
    structure = Structure(html(sample.run(), log))
    assert all(
        structure.tags[each] == 1 for each in ("html", "header", "nav", "main", "footer", "h1")
    )
    ids = structure.values("id")
    assert len(ids) == len(set(ids))
    for target in (*structure.values("aria-labelledby"), *structure.values("data-copy")):
        assert target in ids
    assert {value[1:] for value in structure.values("href") if value.startswith("#")} <= set(ids)
    scopes = [key for tag, key, _ in structure.attributes if tag == "th"]
    assert scopes.count("scope") == structure.tags["th"]
    assert ("html", "lang", "en") in structure.attributes


@pytest.mark.parametrize("text", hostile.NAMES)
def test_nothing_from_outside_is_markup_or_hides(text: str) -> None:
    run = hostile.run(text)
    shown = html(run, lambda _: BytesIO(text.encode(errors="replace")))
    assert not hostile.FORBIDDEN.search(shown), hostile.FORBIDDEN.search(shown)
    shown.encode()
    tame = Structure(html(hostile.run("tame"), none))
    wild = Structure(shown)
    assert wild.tags.keys() <= tame.tags.keys() | {"pre", "figure", "figcaption", "small"}
    assert {key for _, key, _ in wild.attributes} <= {key for _, key, _ in tame.attributes} | {
        "tabindex"
    }
    assert not any(value.startswith("javascript") for value in wild.values("href"))


def test_sections_of_others_are_carried() -> None:
    plot = Section("Time & rate", '<table><tr><th scope="row">tx</th></tr></table><svg></svg>')
    shown = html(sample.run(), none, [plot])
    assert '<a href="#extra1">Time &amp; rate</a>' in shown
    assert plot.html in shown


def test_logs_are_links_where_they_can_be_reached() -> None:
    run = replace(sample.run(), outcomes=sample.run().outcomes[:6])
    shown = html(run, none, link=lambda log: f"/runs/x/{log}")
    assert 'href="/runs/x/logs/apply-1.log"' in shown
    assert "/runs/x" not in html(run, none)


def many(number: int, text: str) -> Run:
    verdicts = (Verdict.PASS, Verdict.FAIL, Verdict.SKIP, Verdict.NOT_RUN)
    cases = tuple(
        Case(
            f"{text} {n}", verdicts[n % 4], 0.1, f"{text} {n}", {"excerpt": [text] * 99, "x": text}
        )
        for n in range(number)
    )
    suites = [Outcome(Stage.TEST, f"big{n}", Verdict.FAIL, 1, cases=cases) for n in range(10)]
    return replace(sample.run(), outcomes=tuple(suites))


def test_hostile_cases_without_end_stay_below_five_megabytes() -> None:
    shown = html(many(400, '<script>"&' * 30 + "\x1b"), none)
    assert len(shown.encode()) < 5_000_000
    assert "more cases in the JSON report" in shown
    assert "left out here for its size" in shown


def test_ten_thousand_plain_cases_are_all_there() -> None:
    run = many(1000, "SOCK_STREAM case")
    shown = html(run, none)
    assert len(shown.encode()) < 5_000_000
    assert shown.count('<tr><td class="tag ') == 10_000
    assert "3 failed" not in shown
    assert sum(len(each.cases) for each in page(run, none).lists) == 10_000


def test_a_doubtful_pass_never_looks_like_one() -> None:
    assert pages.tone(sample.clean_run()) == "pass"
    assert pages.tone(replace(sample.clean_run(), finished="")) == "doubt"
    marked = {**sample.ENVIRONMENT, "measurement_only": "bench-localhost-zerocopy"}
    shown = html(replace(sample.clean_run(), environment=marked), none)
    assert "<h1>NOT CLEAN</h1>" in shown
    assert '<header class="top doubt">' in shown
