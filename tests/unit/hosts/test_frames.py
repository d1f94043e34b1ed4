# SPDX-License-Identifier: GPL-2.0-only
"""Frames come out as they were put in, wherever the connection cuts them."""

from __future__ import annotations

import pytest

from kzc.hosts import frames

SENT = [
    (frames.BEAT, 0, b""),
    (frames.RUN, 1, b"sh\0-c\0true"),
    (frames.OUTPUT, (1 << 32) - 1, bytes(range(256)) * 5),
    (frames.OUTPUT, 1, b""),
    (frames.STATUS, 1, b"137"),
]


@pytest.mark.parametrize("size", [1, 2, 8, 9, 10, 1000, 10_000])
def test_frames_are_cut_from_any_pieces(size: int) -> None:
    data = b"".join(frames.frame(*sent) for sent in SENT)
    cutter = frames.Cutter()
    found = []
    for at in range(0, len(data), size):
        found += cutter.feed(data[at : at + size])
    assert found == SENT


def test_what_is_not_whole_is_no_frame() -> None:
    data = frames.frame(frames.OUTPUT, 7, b"hello")
    assert frames.Cutter().feed(data[:-1]) == []


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("argv", [[b"true"], [b"sh", b"-c", b"", b"a b", b"\xff\n"]])
def test_a_command_is_understood_as_it_was_meant(argv: list[bytes], merged: bool) -> None:
    data = frames.command(argv, b"/tmp", b"", merged)
    assert frames.understood(data) == (argv, b"/tmp", b"", merged)
