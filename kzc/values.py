# SPDX-License-Identifier: GPL-2.0-only
"""The values that travel: frozen, without behaviour beyond folding, importing nothing of kzc.

A stage yields an `Outcome`; the store appends it, the screen shows it, a report folds it.
Times are seconds (float), paths of logs are relative to the folder of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What is known of a subject. Nothing counts as passed until its own output proves it."""

    PASS = "pass"
    FAIL = "fail"
    SKIP = "skip"
    XFAIL = "xfail"
    CRASH = "crash"
    TIMEOUT = "timeout"
    INFRA = "infra"
    NOT_RUN = "not_run"

    @property
    def good(self) -> bool:
        """True where nothing speaks against the code under test."""
        return self in _GOOD


_GOOD = frozenset({Verdict.PASS, Verdict.SKIP, Verdict.XFAIL})

# from harmless to worst; a crash seen in the code under test outranks a host that broke
_SEVERITY = (
    Verdict.SKIP,
    Verdict.XFAIL,
    Verdict.PASS,
    Verdict.NOT_RUN,
    Verdict.INFRA,
    Verdict.FAIL,
    Verdict.TIMEOUT,
    Verdict.CRASH,
)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Fold verdicts into the worst of them; of nothing at all the fold is NOT_RUN."""
    return max(verdicts, key=_SEVERITY.index, default=Verdict.NOT_RUN)


class Stage(StrEnum):
    """The steps on the way from patch to report, in their order."""

    TREE = "tree"
    APPLY = "apply"
    CHECK = "check"
    BUILD = "build"
    BOOT = "boot"
    TEST = "test"
    BENCH = "bench"


class Fit(StrEnum):
    """How a patch or hunk stands to a tree (reverse checked before forward, never with fuzz)."""

    APPLIES = "applies"
    ALREADY = "already there"
    BOTH = "both ways"
    CONFLICT = "conflict"


@dataclass(frozen=True)
class Patch:
    """One mail of a series. `body` is the whole mail as git am takes it."""

    number: int
    subject: str
    author: str
    body: bytes
    files: tuple[str, ...]
    message_id: str = ""


@dataclass(frozen=True)
class Series:
    """Patches in order. `base` is the commit or label they were made for, empty if unknown.

    `version` is the n of [PATCH vn], 0 where it was never posted; `cover` the cover letter's text
    and `message_id` its Message-ID (the first patch's without one). `tags` are the words in the
    brackets of its first subject (PATCH net-next v3 0/4). `prerequisites` are patch ids and
    Message-IDs of what has to be applied before, `links` the addresses that cover and trailers
    name, `notes` what a person has to know of how the series was put together.
    """

    name: str
    title: str
    patches: tuple[Patch, ...]
    base: str = ""
    origin: str = ""
    version: int = 0
    cover: str = ""
    message_id: str = ""
    prerequisites: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    tags: str = ""


@dataclass(frozen=True)
class Diagnostic:
    """One diagnostic of compiler or linker; `file` relative to the tree, line 0 where unknown."""

    file: str
    line: int
    kind: str
    text: str


@dataclass(frozen=True)
class KernelBuild:
    """A built kernel: `folder` holds bzImage, vmlinux and config; `key` names its content."""

    key: str
    folder: str
    image: str
    config_hash: str
    release: str
    tree_id: str
    compiler: str
    warnings: tuple[Diagnostic, ...] = ()
    cached: bool = False


class Ended(StrEnum):
    """How a wait for a command in a guest ended: it answered, or what came instead.

    KILLED: a signal ended the guest's QEMU. STALLED: its QEMU does not answer any more. HOST: the
    host's kernel panicked or the host went away while we waited. LOST: the connection to the host
    was lost; nothing is known of the kernels.
    """

    EXIT = "exit"
    PANIC = "panic"
    GONE = "gone"
    SILENCE = "silence"
    TOTAL = "total"
    KILLED = "killed"
    STALLED = "stalled"
    HOST = "host"
    LOST = "lost"


@dataclass(frozen=True)
class Limits:
    """Seconds without any sign of life, and in all."""

    silence: float
    total: float

    def scaled(self, factor: float) -> Limits:
        """Both limits times `factor`: what KVM does in one second takes TCG several."""
        return Limits(self.silence * factor, self.total * factor)


@dataclass(frozen=True)
class Answer:
    """What a command in a guest left: its status (None unless `ended` is EXIT), its output, the
    console lines of the same time, and seconds of wall time."""

    ended: Ended
    status: int | None
    output: tuple[str, ...]
    console: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Case:
    """One test of a suite; `detail` holds what it measured (numbers and short texts)."""

    name: str
    verdict: Verdict
    seconds: float = 0.0
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What one stage found out about one subject (a patch, a kernel, a guest, a suite).

    `reason` is one sentence for a person, `detail` is JSON-able evidence; under `repeat` it
    holds the exact command that does the step again, under `hint` what to try next.
    """

    stage: Stage
    subject: str
    verdict: Verdict
    seconds: float = 0.0
    log: str = ""
    cases: tuple[Case, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""


@dataclass(frozen=True)
class Run:
    """One invocation and what it was made with: enough to say later what the verdicts are of."""

    id: str
    started: str
    command: tuple[str, ...]
    kzc: str
    environment: Mapping[str, str] = field(default_factory=dict)
    outcomes: tuple[Outcome, ...] = ()
    finished: str = ""
