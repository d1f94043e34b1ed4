# SPDX-License-Identifier: GPL-2.0-only
"""Numbers that a patch wants and a header has given away."""

from __future__ import annotations

import pytest

from kzc.series.diff import parse_diff
from kzc.series.taken import taken_numbers


@pytest.mark.parametrize(
    ("added", "header", "taken"),
    [
        ("#define SO_A 78", "#define SO_B 78", "SO_A 78 SO_B"),
        ("#define SCM_A 78", "#define SO_B\t78", "SCM_A 78 SO_B"),
        ("#define SO_A 0x4e", "#define SO_B 78", "SO_A 0x4e SO_B"),
        ("#define MSG_A 0x10", "# define MSG_B (020)", "MSG_A 0x10 MSG_B"),
        ("#define SO_A 78U", "#define SO_B 78ul", "SO_A 78 SO_B"),
        ("#define SO_A 78", "#define SO_A 78", ""),
        ("#define SO_A 78", "#define MSG_B 78", ""),
        ("#define SO_A 78", "#define SO_B 79", ""),
        ("#define SO_A SO_B", "#define SO_B 79", ""),
        ("#define SO_A(x) 78", "#define SO_B 78", ""),
        ("#define SO_A 089", "#define SO_B 89", "SO_A 089 SO_B"),
    ],
)
def test_who_has_the_number(added: str, header: str, taken: str) -> None:
    diff = f"--- a/h\n+++ b/h\n@@ -1 +1,2 @@\n x\n+{added}\n"
    (file,) = parse_diff(diff.encode())
    found = [f"{each.name} {each.number} {each.holder}" for each in taken_numbers(file, header)]
    assert found == ([taken] if taken else [])
