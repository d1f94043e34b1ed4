# SPDX-License-Identifier: GPL-2.0-only
"""Trailers from replies: whose count, for which patch, where they go, and what b4 makes of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kzc.jobs.workshop import find_program
from kzc.series.diff import parse_diff
from kzc.series.read import read_file
from kzc.series.trailers import Given, add_trailers
from tests.plain import RUNNER
from tests.unit.series.posts import BOB, JANE, diff, mbox, patch, posting, reply, take

ANN = "Ann Other <ann@example.org>"


def message(mails: list[bytes], number: int) -> list[str]:
    body = take(mails).series.patches[number - 1].body.decode()
    return body.partition("\n\n")[2].partition("\n---\n")[0].splitlines()[2:]


def test_they_go_below_the_trailers_of_the_patch_they_answer() -> None:
    mails = [*posting(), reply(f"Fine.\n\nReviewed-by: {BOB}\nTested-by: {BOB} # arm64\n", "2v1@x")]
    signed = f"Signed-off-by: {JANE}"
    assert message(mails, 2) == [signed, f"Reviewed-by: {BOB}", f"Tested-by: {BOB} # arm64"]
    assert message(mails, 1) == message(mails, 3) == [signed]
    assert take(mails).trailers == (f"2: Reviewed-by: {BOB}", f"2: Tested-by: {BOB} # arm64")


def test_for_the_cover_is_for_all_and_twice_is_once() -> None:
    mails = [
        *posting(),
        reply(f"Acked-by: {ANN}\n", "c1@x", ANN),
        reply(f"Acked-by: {ANN}\n", "3v1@x", ANN),
    ]
    assert [message(mails, number)[1:] for number in (1, 2, 3)] == [[f"Acked-by: {ANN}"]] * 3


def test_an_answer_to_an_answer_counts_for_the_patch() -> None:
    mails = [
        *posting(),
        reply("Why?\n", "1v1@x", at="q@x"),
        reply(f"> Why?\n\nI see.\nAcked-by: {ANN}\n", "q@x", ANN),
    ]
    assert message(mails, 1)[1:] == [f"Acked-by: {ANN}"]


@pytest.mark.parametrize(
    "text",
    [
        f"> Reviewed-by: {BOB}\n",
        f"With that, Reviewed-by: {BOB}\n",
        f"-- \nReviewed-by: {BOB}\n",
        f"----- Original Message -----\nReviewed-by: {BOB}\n",
        "Reviewed-by: me\n",
        f"From: {ANN}\n\nReviewed-by: {ANN}\n",
        f"Reviewed-by: \x1b[2J {BOB}\n",
    ],
)
def test_what_is_no_trailer_of_his_own(text: str) -> None:
    assert take([*posting(), reply(text, "2v1@x")]).trailers == ()


def test_what_is_said_for_another_is_not_counted_and_told() -> None:
    intake = take([*posting(), reply(f"Reviewed-by: {ANN}\nNacked-by: {BOB}\n", "2v1@x")])
    assert intake.trailers == ()
    assert intake.series.notes == (
        f"not counted: 'Reviewed-by: {ANN}', as it came from {BOB}",
        f"not counted: 'Nacked-by: {BOB}': somebody is against it",
    )


def test_a_reply_with_a_diff_and_what_answers_it_speak_of_that_diff() -> None:
    mails = [
        *posting(),
        reply(f"Reviewed-by: {BOB}\n\nwith\n\n{diff(20, 'short')}", "2v1@x", at="fix@x"),
        reply(f"Tested-by: {ANN}\n", "fix@x", ANN),
    ]
    intake = take(mails)
    assert intake.trailers == ()
    assert f"not counted: 'Tested-by: {ANN}', which speaks of the diff in reply" in (
        intake.series.notes
    )


def test_a_full_quote_without_marks_is_no_fixup() -> None:
    mails = [*posting(), reply(f"Reviewed-by: {BOB}\n\n{diff(20)}", "2v1@x")]
    assert take(mails).trailers == (f"2: Reviewed-by: {BOB}",)
    assert take(mails).series.notes == ()


def test_an_older_version_s_trailers_stay_with_it() -> None:
    mails = [
        *posting(1),
        *posting(2, "char", day=5),
        reply(f"Acked-by: {ANN}\n", "c1@x", ANN),
        reply(f"Reviewed-by: {BOB}\n", "2v1@x"),
    ]
    assert take(mails).trailers == ()


def test_a_rerolled_patch_does_not_inherit_what_was_said_of_the_older_cover() -> None:
    new = patch("v8 2/3", "net: widen 2", diff(20, "char"), "new@x", "2v7@x", day=6)
    mails = [
        *posting(7),
        new,
        reply(f"Acked-by: {ANN}\n", "c7@x", ANN),
        reply(f"Tested-by: {ANN}\n", "new@x", ANN),
        reply(f"Reviewed-by: {BOB}\n", "2v7@x"),
    ]
    assert take(mails).trailers == (
        f"1: Acked-by: {ANN}",
        f"2: Tested-by: {ANN}",
        f"3: Acked-by: {ANN}",
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"Why.\n---\nx", b"Why.\n\nAcked-by: A <a@x>\n---\nx"),
        (b'Why.\n\nFixes: 1 ("x")\n---\n', b'Why.\n\nFixes: 1 ("x")\nAcked-by: A <a@x>\n---\n'),
        (b"\n---\nx", b"Acked-by: A <a@x>\n---\nx"),
        (b"Why.\n\nAcked-By: B <A@x>\n---\n", b"Why.\n\nAcked-By: B <A@x>\n---\n"),
        (b"W\n\ndiff --git a/x b/x\n", b"W\n\nAcked-by: A <a@x>\ndiff --git a/x b/x\n"),
    ],
)
def test_where_they_go(before: bytes, after: bytes) -> None:
    assert add_trailers(before, [Given("Acked-by: A <a@x>", "m@x")]) == after


def test_b4_reads_the_same_from_the_same_mails(tmp_path: Path) -> None:
    b4 = find_program("b4")
    assert b4, "b4 comes with kzc"
    mails = [
        *posting(2),
        reply(f"> x\n\nReviewed-by: {BOB}\n", "1v2@x"),
        reply(f"Acked-by: {ANN}\n", "c2@x", ANN),
        reply(f"Reviewed-by: {ANN}\n", "2v2@x"),
        reply(diff(30, "short"), "3v2@x"),
    ]
    box = tmp_path / "t.mbox"
    box.write_bytes(mbox(mails))
    home = {name: str(tmp_path) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
    alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    words = ("--offline-mode", "-c", "b4.attestation-policy=off", "am", "-m", str(box))
    argv = [b4, "-n", *words, "--no-cover", "-o", str(tmp_path / "out"), "c2@x"]
    RUNNER.capture(argv, cwd=tmp_path, env={**home, **alone}, timeout=60)
    (made,) = (tmp_path / "out").glob("*.mbx")
    theirs, ours = read_file(made).patches, read_file(box).patches
    assert [each.subject for each in theirs] == [each.subject for each in ours]
    assert [each.author for each in theirs] == [each.author for each in ours]
    for their, our in zip(theirs, ours, strict=True):
        assert parse_diff(their.body) == parse_diff(our.body)
        assert parts(their.body) == parts(our.body)


def parts(body: bytes) -> list[bytes]:
    """The words above the diff; b4 leaves the --- out where no diffstat follows."""
    return body.partition(b"\n\n")[2].partition(b"diff --git")[0].replace(b"---", b"").split()
