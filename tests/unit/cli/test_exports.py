# SPDX-License-Identifier: GPL-2.0-only
"""`kzc report` into files, `kzc schema` and `kzc serve`, as a user runs them."""

from __future__ import annotations

import errno
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kzc.cli import exports
from kzc.cli.reports import report, schema
from kzc.cli.serve import Kept, serve
from kzc.errors import HostError, UsageError
from kzc.results import disk
from kzc.results.formats import html
from kzc.results.store import Store
from kzc.values import Case, Outcome, Run, Stage, Verdict

KZC = (sys.executable, "-m", "kzc")


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    home = tmp_path_factory.mktemp("home")
    with Store(home / "data").create(("kzc", "run", "x"), {"tree": "6.12"}, "0") as run:
        case = Case("18 SIGPIPE", Verdict.FAIL, reason="got ECONNRESET")
        (run.logs / "vsock.log").write_text("18 SIGPIPE...failed\n")
        run.append(Outcome(Stage.TEST, "vsock", Verdict.FAIL, 1, "logs/vsock.log", (case,)))
    return {
        **os.environ,
        "KZC_DATA": str(home / "data"),
        "XDG_CONFIG_HOME": str(home / "config"),
    }


def test_every_report_into_files_at_once(
    env: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KZC_DATA", env["KZC_DATA"])
    monkeypatch.setenv("XDG_CONFIG_HOME", env["XDG_CONFIG_HOME"])
    monkeypatch.chdir(tmp_path)
    names = ("html", "junit", "json", "kcidb", "ktap", "markdown", "summary")
    assert report("", "", {name: Path(f"out.{name}") for name in names}) == 1
    said = capsys.readouterr()
    assert said.out == ""
    begins = {
        "html": "<!doctype html>",
        "junit": "<?xml",
        "json": "{",
        "kcidb": "{",
        "ktap": "KTAP version 1",
        "markdown": "## FAIL: ",
        "summary": "## FAIL: ",
    }
    for name in names:
        text = (tmp_path / f"out.{name}").read_text()
        assert text.startswith(begins[name]), name
        assert "SIGPIPE" in text
        assert f"{name}: out.{name}" in said.err
    assert "18 SIGPIPE...failed" in (tmp_path / "out.html").read_text()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_what_cannot_be_written_is_said_before_the_work(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "x.html"):
        with pytest.raises(UsageError, match="--html"):
            exports.checked({"html": path, "junit": None})


def test_a_disk_that_refuses_leaves_no_half_file(tmp_path: Path) -> None:
    run = Run("20260101-000000-0000", "", ("kzc",), "0")
    (tmp_path / "locked").mkdir()
    (tmp_path / "locked" / ".x.new").mkdir()  # so that not even root can put the new file there
    with pytest.raises(HostError, match="cannot write"):
        exports.write({"junit": tmp_path / "locked" / "x"}, run, tmp_path)
    assert [path.name for path in (tmp_path / "locked").iterdir()] == [".x.new"]


@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.vm)]
)
def test_serve_answers_until_a_signal_comes(
    env: dict[str, str], tmp_path: Path, number: int
) -> None:
    words = [*KZC, "serve", "--port", "0"]
    with subprocess.Popen(
        words, env=env, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        address = re.match(r"http://127\.0\.0\.1:(\d+)/ ", server.stdout.readline())
        assert address is not None
        connection = http.client.HTTPConnection("127.0.0.1", int(address[1]), timeout=20)
        connection.request("GET", "/?verdict=fail")
        page = connection.getresponse().read().decode()
        assert 'href="/runs/' in page
        with pytest.raises(UsageError, match="cannot listen"):
            serve("127.0.0.1", int(address[1]), ())
        server.send_signal(number)  # the connection is still open
        assert server.wait(5) == 130


@pytest.mark.parametrize(
    ("address", "port", "hint"),
    [
        ("nohost.invalid", 0, "an address of this machine"),
        ("x" * 70, 0, "an address of this machine"),
        ("192.0.2.1", 0, "an address of this machine"),
        ("127.0.0.1", 70000, "another port"),
    ],
)
def test_serve_says_whether_the_address_or_the_port_is_wrong(
    address: str, port: int, hint: str
) -> None:
    with pytest.raises(UsageError, match="cannot listen") as caught:
        serve(address, port, ())
    assert hint in caught.value.hint


def test_a_place_that_is_none_is_no_matter_of_room(tmp_path: Path) -> None:
    run = Run("20260101-000000-0000", "", ("kzc",), "0")
    with pytest.raises(UsageError, match="cannot write") as caught:
        exports.write({"junit": tmp_path / "none" / "x"}, run, tmp_path)
    assert "folder that is there" in caught.value.hint
    with pytest.raises(HostError) as full, disk.blamed(tmp_path):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert "make room" in full.value.hint
    with pytest.raises(HostError) as locked, disk.blamed(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")
    assert "can be written" in locked.value.hint


def test_the_schema_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert schema() == 0
    assert json.loads(capsys.readouterr().out)["title"] == "kzc report"


def test_logs_of_a_run_whose_folder_was_given_up(env: dict[str, str]) -> None:
    store = Store(Path(env["KZC_DATA"]))
    run = store.load()
    shutil.rmtree(store.folder / run.id)
    opened = Kept(store).logs(run)
    stream = opened("logs/vsock.log")
    assert stream is not None
    with stream as file:
        assert file.read() == b"18 SIGPIPE...failed\n"
    assert opened("logs/none.log") is None
    assert "18 SIGPIPE...failed" in html(run, opened)
    assert not (store.folder / run.id).exists()
