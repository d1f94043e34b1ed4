# SPDX-License-Identifier: GPL-2.0-only
"""What the main job needs of a machine, as data: a program or header more is a row more.

`missing` means that the main job cannot run, `warn` that it runs with something left out. Every
package here also stands in scripts/apt-packages.txt.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum

GIB = 1 << 30
DISK_ENOUGH = 8 * GIB  # two profiles, two trees and the compiler's cache
DISK_LEAST = 4 * GIB  # a repository, a worktree, one build, the compiler's cache
MEMORY_ENOUGH = 3 * GIB
QEMU_LEAST = (7, 0)


class State(StrEnum):
    """How a need is met; MISSING alone keeps the main job from running."""

    OK = "ok"
    WARN = "warn"
    MISSING = "missing"


@dataclass(frozen=True)
class Need:
    """One line of the doctor's table: `value` is what was found, `fix` a command or empty."""

    name: str
    state: State
    value: str = ""
    reason: str = ""
    fix: str = ""


@dataclass(frozen=True)
class Program:
    """A program that must be on the PATH and must answer to `version` (arguments).

    `status` is what it ends with then: not all have a way to ask that succeeds.
    """

    name: str
    package: str
    what_for: str
    version: tuple[str, ...] = ("--version",)
    lack: State = State.MISSING
    status: int = 0


@dataclass(frozen=True)
class Header:
    """A header that the compiler must find."""

    name: str
    file: str
    package: str
    what_for: str
    lack: State = State.MISSING


PROGRAMS = (
    Program("ccache", "ccache", "rebuilds take as long as first builds", lack=State.WARN),
    Program("gcc", "gcc", "compiles the kernel"),
    Program("make", "make", "builds the kernel"),
    Program("flex", "flex", "builds the kernel's configurator"),
    Program("bison", "bison", "builds the kernel's configurator"),
    Program("bc", "bc", "computes the kernel's timer constants"),
    Program("git", "git", "keeps trees and worktrees"),
    Program("xz", "xz-utils", "unpacks Debian's kernel sources"),
    Program("kmod", "kmod", "loads modules in vng guests"),
    Program("cpio", "cpio", "packs initramfs archives for vng guests", lack=State.WARN),
    Program("ip", "iproute2", "sets up the network in vng guests", version=("-V",)),
    Program("udevadm", "udev", "vng guests answer by the kernel console only", lack=State.WARN),
    Program(
        "sshd",
        "openssh-server",
        "topology nested cannot start its host",
        version=("-V",),
        lack=State.WARN,
    ),
    Program(
        "ssh-keygen",
        "openssh-client",
        "topology nested cannot start its host",
        version=("-?",),
        lack=State.WARN,
        status=1,
    ),
    Program(
        "flock", "util-linux", "topologies pair and nested cannot choose a CID", lack=State.WARN
    ),
    Program(
        "python3", "python3", "topologies pair and nested cannot choose a port", lack=State.WARN
    ),
    Program("tcpdump", "tcpdump", "pairs run without a capture of packets", lack=State.WARN),
)

HEADERS = (
    Header("libelf headers", "gelf.h", "libelf-dev", "builds the kernel's objtool"),
    Header(
        "openssl headers",
        "openssl/opensslv.h",
        "libssl-dev",
        "configurations with signed modules do not build",
        State.WARN,
    ),
    Header(
        "liburing headers",
        "liburing.h",
        "liburing-dev",
        "vsock_uring_test is left out",
        State.WARN,
    ),
)


def as_root(command: str) -> str:
    """The command as this user has to type it."""
    return command if os.geteuid() == 0 else f"sudo {command}"


def install(package: str) -> str:
    """The command that installs a Debian package."""
    return as_root(f"apt-get install -y {package}")


def combined(needs: tuple[Need, ...]) -> tuple[str, ...]:
    """All fixes, those of packages as one command, each once, in the order of the table."""
    prefix = install("")
    packages = [need.fix.removeprefix(prefix) for need in needs if need.fix.startswith(prefix)]
    rest = [need.fix for need in needs if need.fix and not need.fix.startswith(prefix)]
    together = [prefix + " ".join(dict.fromkeys(packages))] if packages else []
    return (*together, *dict.fromkeys(rest))
