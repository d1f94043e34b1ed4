# SPDX-License-Identifier: GPL-2.0-only
"""What make, gcc, ld and objtool say, recorded from real builds."""

from pathlib import Path

from kzc.kernel.diagnostics import failed_targets, is_error, parse
from kzc.values import Diagnostic

DATA = Path(__file__).parents[2] / "data" / "kernel"


def read(name: str) -> list[str]:
    return (DATA / name).read_text().splitlines()


def test_a_compiler_error_is_found_with_its_target() -> None:
    lines = read("error.log")
    errors = [entry for entry in parse(lines, "/tree") if is_error(entry)]
    assert errors == [
        Diagnostic(
            "net/core/sock.c", 2966, "error", "‘nonsense’ undeclared (first use in this function)"
        )
    ]
    assert failed_targets(lines) == ("net/core/sock.o",)


def test_warnings_are_kept_once_and_relative_to_the_tree() -> None:
    found = parse(read("warning.log"), "/tree")
    assert found == (
        Diagnostic("net/socket.c", 2580, "warning", "unused variable ‘unused’ [-Wunused-variable]"),
    )
    assert not any(is_error(entry) for entry in found)
    assert failed_targets(read("warning.log")) == ()


def test_the_linker_and_objtool() -> None:
    found = parse(
        [
            "ld: net/socket.o: in function `__sys_sendmsg':",
            "/tree/net/socket.c:(.text+0x1f2): undefined reference to `sock_nonsense'",
            "vmlinux.o: warning: objtool: do_syscall_64+0x1: unreachable instruction",
            'WARNING: modpost: missing MODULE_DESCRIPTION() in "x.o"',
        ],
        "/tree",
    )
    assert ("net/socket.c", "error", "undefined reference to `sock_nonsense'") in [
        (entry.file, entry.kind, entry.text) for entry in found
    ]
    assert [entry.kind for entry in found[-2:]] == ["warning", "warning"]


def test_notes_and_chatter_are_no_diagnostics() -> None:
    assert parse(["  CC      net/socket.o", "net/a.c:1:2: note: declared here", "real 0m1s"]) == ()
