# SPDX-License-Identifier: GPL-2.0-only
"""The control channel's language, spoken with the real agent over a pipe."""

import base64

from kzc.guest.channel import Lines, request, status_of


def test_a_request_is_one_line_whatever_the_command_holds() -> None:
    text = "echo 'a b'\nprintf \"%s\" ü"
    line = request("n0nce", text)
    assert line.count(b"\n") == 1
    word, _, code = line.decode().strip().partition(" ")
    assert word == "n0nce"
    assert base64.b64decode(code).decode() == text


def test_only_the_nonce_and_a_number_end_a_command() -> None:
    assert status_of("n0nce 0", "n0nce") == 0
    assert status_of("n0nce 137", "n0nce") == 137
    for line in ("n0nce", "n0nce x", "other 0", "x n0nce 0", "n0nce 0 1", ""):
        assert status_of(line, "n0nce") is None


def test_bytes_become_lines_wherever_they_are_cut() -> None:
    data = "eins\r\nzwei ü\n\ndrei".encode()
    for size in range(1, len(data) + 1):
        lines = Lines()
        found = [
            line
            for start in range(0, len(data), size)
            for line in lines.feed(data[start : start + size])
        ]
        assert found == ["eins", "zwei ü", ""]
        assert lines.rest == b"drei"
