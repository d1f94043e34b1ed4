# SPDX-License-Identifier: GPL-2.0-only
"""Which warnings are new, which objects are asked for, and what a build compiled."""

from __future__ import annotations

from kzc.kernel.checks import by_object, compiled, new_ones, objects_of
from kzc.values import Diagnostic


def warning(line: int, text: str = "unused variable 'a'", file: str = "net/a.c") -> Diagnostic:
    return Diagnostic(file, line, "warning", text)


def test_a_line_that_moved_is_not_new_but_a_second_of_the_same_text_is() -> None:
    assert new_ones([warning(30)], [warning(3)]) == ()
    assert new_ones([warning(3), warning(30)], [warning(3)]) == (warning(30),)
    assert new_ones([], [warning(3)]) == ()


def test_another_file_kind_or_text_is_new() -> None:
    before = [warning(3)]
    for other in (
        warning(3, "unused variable 'b'"),
        warning(3, file="net/b.c"),
        Diagnostic("net/a.c", 3, "error", "unused variable 'a'"),
    ):
        assert new_ones([other], before) == (other,)


def test_numbers_of_lines_in_a_text_do_not_count() -> None:
    before = [warning(3, "declared at line 5 of net/b.h:7:1")]
    assert new_ones([warning(4, "declared at line 6 of net/b.h:8:2")], before) == ()


def test_objects_are_those_of_the_kernel_with_names_that_are_plain() -> None:
    files = [
        "net/a.c",
        "net/a.h",
        "tools/b.c",
        "--eval=x.c",
        "net/$(shell x).c",
        "a=b.c",
        "c++/d.c",
    ]
    assert objects_of(files) == ("net/a.o", "c++/d.o")


def test_what_a_build_compiled_is_read_from_its_log() -> None:
    log = ["  CC      net/a.o\n", "  CC [M]  net/b.o\n", "  AS      c.o", "  LD      d.o", "CC e.o"]
    assert compiled(log) == ("net/a.o", "net/b.o", "c.o")


def test_what_is_said_is_laid_at_an_object_only_where_that_is_sure() -> None:
    one, two = Diagnostic("net/a.c", 1, "warning", "x"), Diagnostic("net/a.c", 2, "warning", "y")
    objects = ("net/a.o", "net/b.o")
    assert by_object(objects, (one, two)) == {"net/a.o": (one, two), "net/b.o": ()}
    header = Diagnostic("include/net/sock.h", 1, "warning", "x")
    assert by_object(objects, (one, header)) is None
