# SPDX-License-Identifier: GPL-2.0-only
"""A stream gives back what was put into it, also where its writer was killed in the middle."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kzc.errors import HostError
from kzc.results.stream import Stream, read_stream
from kzc.values import Case, Outcome, Run, Stage, Verdict

RUN = Run("20261121-093015-3fa2", "2026-11-21T09:30:15Z", ("kzc", "test"), "0", {"tree": "6.12"})
OUTCOME = Outcome(Stage.TEST, "vsock", Verdict.FAIL, 1.5, cases=(Case("a", Verdict.FAIL),))


def test_what_is_told_is_read_again(tmp_path: Path) -> None:
    stream = Stream(tmp_path / "stream")
    assert read_stream(tmp_path / "stream") is None
    stream.header(RUN, tmp_path)
    stream.outcome(OUTCOME)
    known = replace(RUN, environment={"release": "6.12.1"}, finished="2026-11-21T09:31:00Z")
    stream.header(known, tmp_path)
    found = read_stream(tmp_path / "stream")
    assert found is not None
    assert found.run == replace(known, outcomes=(OUTCOME,))
    assert found.folder == tmp_path


@pytest.mark.parametrize("rest", [b'{"outcome": {"stage"', b"\xff\xfe", b"[1]\n", b"null\n"])
def test_what_is_no_line_is_passed_over(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "stream"
    Stream(path).header(RUN, tmp_path)
    Stream(path).outcome(OUTCOME)
    path.write_bytes(path.read_bytes() + rest)
    found = read_stream(path)
    assert found is not None
    assert found.run.outcomes == (OUTCOME,)


def test_a_stream_that_cannot_be_written_is_the_hosts_fault(tmp_path: Path) -> None:
    with pytest.raises(HostError, match="cannot write"):
        Stream(tmp_path / "none" / "stream").outcome(OUTCOME)
