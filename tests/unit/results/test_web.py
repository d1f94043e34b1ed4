# SPDX-License-Identifier: GPL-2.0-only
"""Kept runs in a browser: what is answered, to whom, under which policy, and what never leaves."""

from __future__ import annotations

import http.client
import json
import re
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import BinaryIO

import pytest
import uvicorn

from kzc.errors import HostError, UsageError
from kzc.results.browse import PAGE, listing
from kzc.results.logs import OpenLog
from kzc.results.page import Section
from kzc.results.wanted import Wanted
from kzc.results.web import application
from kzc.values import Outcome, Run, Stage, Verdict

from . import hostile, sample

LOGS = {
    "logs/test-vsock.log": b"<script>alert(1)</script>\x1b[31m\n" * 50_000,
    "logs/vsock.pcap": b"\xd4\xc3\xb2\xa1",
}


def numbered(number: int) -> Run:
    """The runs of two trees and series, every third of which failed."""
    tree, series = ("6.12 (6.12.117)", "a") if number % 2 else ("7.3 (7.3.4), 6.1 (6.1.192)", "b<c")
    verdict = Verdict.FAIL if number % 3 == 0 else Verdict.PASS
    test = Outcome(Stage.TEST, "vsock nested" if number % 5 else "zc_fuzz", verdict)
    return replace(
        sample.clean_run(),
        id=f"20260101-0000{number % 60:02}-{number:04x}",
        environment={"tree": tree, "series": series},
        outcomes=(test,),
    )


FAILED = tuple(numbered(n) for n in range(120) if n % 2 == 0 and n % 3 == 0 and n % 5)
NARROW = Wanted(tree="6.1", verdict="fail", series="b<c", suite="vsock")


@dataclass(frozen=True)
class Kept:
    """Runs without a store: all of them, and a list for what is wanted."""

    runs: tuple[Run, ...]
    lists: Mapping[Wanted, tuple[Run, ...]] = field(default_factory=dict)

    def heads(self, wanted: Wanted) -> Sequence[Run]:
        return self.runs if wanted == Wanted() else self.lists.get(wanted, ())

    def known(self) -> dict[str, list[str]]:
        return {
            "tree": ["6.12 (6.12.117)", "7.3 (7.3.4), 6.1 (6.1.192)"],
            "series": ["b<c", "a"],
            "verdict": ["pass", "crash"],
        }

    def load(self, name: str) -> Run:
        if name == "20260101-000000-dead":
            raise HostError("damaged \x1b[2J")
        found = [run for run in self.runs if run.id.startswith(name)]
        if not found:
            raise UsageError(f"no run is called {name!r}")
        return found[0]

    def logs(self, run: Run) -> OpenLog:
        def opened(path: str) -> BinaryIO | None:
            return BytesIO(LOGS[path]) if path in LOGS else None

        return opened

    def sections(self, run: Run) -> tuple[Section, ...]:
        return (Section("Measured", "<p>6 of 7</p>"),) if run.id == RUN[6:-1] else ()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True)
class Site:
    port: int

    def ask(self, path: str, host: str = "", method: str = "GET") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request(method, path, headers={"Host": host or f"127.0.0.1:{self.port}"})
        response = connection.getresponse()
        headers = {key.lower(): value for key, value in response.getheaders()}
        answer = Answer(response.status, headers, response.read())
        connection.close()
        return answer


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    runs = (sample.run(), replace(hostile.run("<b>x"), id="20260101-000000-0bad"))
    kept = Kept((*runs, *map(numbered, range(120))), {NARROW: FAILED})
    app = application(kept, ["lab.example"])
    config = uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield Site(listening.getsockname()[1])
        server.should_exit = True
        thread.join()


RUN = f"/runs/{sample.run().id}/"


def test_the_list_has_pages_and_links_to_runs(site: Site) -> None:
    first, last = site.ask("/"), site.ask("/?page=99")
    assert first.text.count('href="/runs/') == PAGE
    assert f'href="{RUN}"' in first.text
    assert 'rel="next"' in first.text
    assert 'rel="prev"' not in first.text
    assert "page 3 of 3" in last.text
    assert 'rel="next"' not in last.text
    assert site.ask("/?page=x%00").status == 200


def test_the_list_is_narrowed_by_tree_series_suite_and_verdict(site: Site) -> None:
    found = site.ask("/?tree=6.1&verdict=fail&series=b%3Cc&suite=vsock").text
    ids = re.findall(r'href="/runs/([^/"]+)/"', found)
    assert ids == [run.id for run in FAILED]
    assert "<option selected>b&lt;c</option>" in found
    assert "No run is like that" in site.ask("/?tree=nope").text


def test_a_page_of_the_list_keeps_what_it_is_narrowed_to() -> None:
    found = listing(Kept(tuple(map(numbered, range(120)))), Wanted(), 2)
    assert (found.found, found.pages, len(found.items)) == (120, 3, PAGE)
    found = replace(found, wanted=Wanted(series="b<c"))
    assert found.after == "/?series=b%3Cc&page=3"
    assert found.before == "/?series=b%3Cc"
    assert found.choices["tree"] == ("6.1", "6.12", "7.3")
    assert found.choices["series"] == ("a", "b<c")


def test_a_run_with_links_to_its_logs_and_other_reports(site: Site) -> None:
    found = site.ask(RUN).text
    assert "<h1>CRASH</h1>" in found
    assert "<p>6 of 7</p>" in found
    assert f'href="{RUN}logs/test-vsock.log"' in found
    assert f'href="{RUN}report.junit"' in found
    assert json.loads(site.ask(f"{RUN}report.json").body)["id"] == sample.run().id
    assert site.ask(f"{RUN}report.ktap").text.startswith("KTAP version 1")
    assert site.ask("/runs/20260101-000000-0bad/").status == 200


def test_logs_are_text_whatever_is_in_them(site: Site) -> None:
    found = site.ask(f"{RUN}logs/test-vsock.log")
    assert found.body == LOGS["logs/test-vsock.log"]
    assert found.headers["content-type"].startswith("text/plain")
    assert found.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert site.ask(f"{RUN}logs/vsock.pcap").headers["content-disposition"] == "attachment"
    junit = site.ask(f"{RUN}report.junit")
    assert junit.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize(
    "path",
    [
        *("/nope", "/runs/", "/runs/x/", f"{RUN[:-6]}/", f"{RUN}report.svg", f"{RUN}report.kcidb"),
        *(f"{RUN}logs/none.log", f"{RUN}run.json", f"{RUN}logs/../run.json", f"{RUN}logs/"),
        *(f"{RUN}logs/%2e%2e/run.json", f"{RUN}%2fetc%2fpasswd", f"{RUN}logs/x%00"),
    ],
)
def test_nothing_else_is_there(site: Site, path: str) -> None:
    assert site.ask(path).status == 404


def test_a_damaged_run_is_told_without_driving_a_terminal(site: Site) -> None:
    found = site.ask("/runs/20260101-000000-dead/")
    assert (found.status, found.text) == (500, "damaged \\x1b[2J\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(site: Site, method: str) -> None:
    assert site.ask("/", method=method).status == 405


def test_only_names_of_this_server_are_answered(site: Site) -> None:
    for host in ("127.0.0.1", "localhost:1", "LOCALHOST", "[::1]:80", "lab.example"):
        assert site.ask("/", host).status == 200, host
    for host in ("evil.example", "127.0.0.1.evil.example", "localhost@evil", "www.lab.example"):
        assert site.ask(RUN, host).status == 400, host


@pytest.mark.parametrize("path", ["/", RUN, f"{RUN}logs/test-vsock.log", "/nope"])
def test_every_answer_is_strict(site: Site, path: str) -> None:
    for host in ("", "evil.example"):
        headers = site.ask(path, host).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'; ")
        assert (
            "unsafe-inline"
            not in headers["content-security-policy"].partition("script-src")[2].partition(";")[0]
        )
        assert "server" not in headers or "uvicorn" in headers["server"]
