# SPDX-License-Identifier: GPL-2.0-only
"""Numbers that a patch wants where it finds no place, and a header has given away."""

from __future__ import annotations

import pytest

from kzc.series.diff import parse_diff
from kzc.series.taken import taken_numbers
from kzc.series.uapi import GENERIC_SOCKET


@pytest.mark.parametrize(
    ("added", "header", "taken"),
    [
        ("#define SO_A 78", "#define SO_B 78", "SO_A 78 SO_B"),
        ("#define SCM_A 78", "#define SO_B\t78", "SCM_A 78 SO_B"),
        ("#define SO_A 0x4e", "#define SO_B 78", "SO_A 0x4e SO_B"),
        ("#define SO_A 78U", "#define SO_B 78ul", "SO_A 78U SO_B"),
        ("#define SO_A 78", "#define SO_A 78", ""),
        ("#define SO_A 78", "#define MSG_B 78", ""),
        ("#define SO_A 78", "#define SO_B 79", ""),
        ("#define SO_A SO_B", "#define SO_B 79", ""),
    ],
)
@pytest.mark.parametrize("context", ["#define SO_Z 1", "not in the header"])
def test_who_has_the_number(added: str, header: str, taken: str, context: str) -> None:
    text = f"#define SO_Z 1\n{header}\n"
    diff = f"--- a/{GENERIC_SOCKET}\n+++ b/{GENERIC_SOCKET}\n@@ -1 +1,2 @@\n {context}\n+{added}\n"
    (file,) = parse_diff(diff.encode())
    found = [
        f"{each.new.name} {each.new.shown} {each.taken.name}" for each in taken_numbers(file, text)
    ]
    assert found == ([taken] if taken else [])
