# SPDX-License-Identifier: GPL-2.0-only
"""Ports from begin to end on small trees: by itself, with a person, killed in between, twice."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from filelock import FileLock

from kzc.errors import UsageError
from kzc.git import IDENTITY, Git
from kzc.jobs import port as ports
from kzc.jobs.port import Request
from kzc.jobs.port_yard import Yard
from kzc.series.port import How, Port, Step
from kzc.series.read import read_folder
from kzc.settings import Settings
from kzc.trees.find import find_tree
from kzc.values import Verdict
from tests.fakelinux import commit, edit, make_kernel, make_series
from tests.plain import RUNNER

MIDDLE = "net/core/sock.c"


@dataclass(frozen=True)
class Bench:
    """A series of three on an old tree, and a way to a new one."""

    settings: Settings
    old: Path
    new: Path
    mails: Path
    asked: list[Request] = field(default_factory=list)

    def request(self, *, with_origin: bool = True) -> Request:
        origin = find_tree(str(self.old), self.old, self.settings, RUNNER)
        onto = find_tree(str(self.new), self.new, self.settings, RUNNER)
        return Request("p", read_folder(self.mails), origin if with_origin else None, onto)

    def begin(self, *, with_origin: bool = True) -> tuple[Port, Yard]:
        """Begin it; the same request again where it was begun before."""
        if not self.asked:
            self.asked.append(self.request(with_origin=with_origin))
        return ports.begin(self.asked[0], self.settings, RUNNER)

    def resume(self) -> tuple[Port, Yard]:
        return ports.resume("p", self.settings, RUNNER)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """The new tree is another repository."""
    old, new = make_kernel(tmp_path / "old"), tmp_path / "new"
    shutil.copytree(old, new)
    text = (new / "net/socket.c").read_text()
    (new / "net/socket.c").write_text(f"/* new */\n/* lines */\n{text}")
    edit(new / "net/socket.c", "int socket_12;", "char socket_12;")
    commit(new, "years later")
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data", jobs=1)
    return Bench(settings, old, new, make_series(old, tmp_path / "mails"))


def hows(port: Port) -> list[How]:
    return [step.how for step in port.steps]


def conflicting(bench: Bench) -> None:
    edit(bench.new / MIDDLE, "int sock_20;", "char sock_20;")
    commit(bench.new, "in the way")


def test_what_merges_needs_nobody_and_becomes_a_series(bench: Bench) -> None:
    edit(bench.new / MIDDLE, "int sock_20;", "long sock_20;")
    commit(bench.new, "the second one was merged upstream")
    git = Git(RUNNER, bench.new)
    before = git.out("for-each-ref")
    port, yard = bench.begin()
    assert hows(port) == [How.MERGED, How.ALREADY, How.MERGED]
    assert port.steps[0].note == "1 of 1 hunks have other lines now"
    assert port.steps[1].commit == ""
    assert port.steps[2].note == "1 of 1 hunks moved, at most 2 lines"
    assert not yard.worktree.exists()
    assert ports.unfinished(bench.settings, RUNNER) == ()
    assert ports.numbers(port, yard) is None
    # what is done is not overwritten unless that is asked for
    (yard.patches / "kept").touch()
    with pytest.raises(UsageError, match="there is a port p already") as refused:
        bench.begin()
    assert refused.value.hint.startswith("--replace ")
    assert (yard.patches / "kept").exists()
    port, yard = ports.begin(replace(bench.asked[0], replace=True), bench.settings, RUNNER)
    assert port.done
    assert not (yard.patches / "kept").exists()
    # the tree was not touched, and emptying the cache takes nothing
    assert git.out("for-each-ref") == before
    assert git.out("status", "--porcelain") == ""
    shutil.rmtree(bench.settings.cache)
    again = read_folder(yard.patches)
    assert [patch.subject for patch in again.patches] == [
        "net: widen socket_10",
        "net: widen socket_30",
    ]
    assert again.base == port.base
    git.run("am", "-q", *sorted(map(str, yard.patches.iterdir())), env=IDENTITY)
    assert git.out("rev-parse", "HEAD^{tree}") == yard.git.out("rev-parse", f"{port.head}^{{tree}}")
    with pytest.raises(UsageError, match="is done"):
        ports.abort("p", bench.settings, RUNNER)


def test_a_conflict_waits_for_a_person_whatever_happens(bench: Bench) -> None:
    conflicting(bench)
    port, yard = bench.begin()
    assert hows(port) == [How.MERGED, How.WAITING, How.WAITING]
    assert port.conflicts == (MIDDLE,)
    assert ports.unfinished(bench.settings, RUNNER) == ("p",)
    file = yard.worktree / MIDDLE
    both = file.read_text()
    assert "<<<<<<< HEAD\nchar sock_20;\n" in both
    assert "=======\nlong sock_20;\n>>>>>>> " in both
    # one at a time, and not twice
    with FileLock(yard.folder.with_name(".p.lock")):
        for action in (bench.begin, bench.resume):
            with pytest.raises(UsageError, match="another kzc works on the port p"):
                action()
    with pytest.raises(UsageError, match="is not done: patch 2/3 waits for you"):
        bench.begin()
    # killed in a git that leaves its lock, while the worktree was made
    yard.save(replace(port, conflicts=()))
    (yard.repo / "worktrees/linux/index.lock").touch()
    file.write_text("half")
    again, _ = bench.resume()
    assert again == port
    assert file.read_text() == both
    yard.save(replace(port, conflicts=()))
    yard.ready.unlink()
    file.write_text("half")
    again, _ = bench.resume()
    assert again == port
    assert file.read_text() == both
    # not before it is resolved
    with pytest.raises(UsageError, match=f"{MIDDLE} has conflict markers"):
        bench.resume()
    file.write_text((bench.new / MIDDLE).read_text().replace("char sock_20;", "short sock_20;"))
    with pytest.raises(UsageError, match="unmerged") as error:
        bench.resume()
    assert error.value.hint.endswith(f" add {MIDDLE}")
    Git(RUNNER, yard.worktree).run("add", MIDDLE)
    port, _ = bench.resume()
    assert hows(port) == [How.MERGED, How.BY_HAND, How.MERGED]
    assert "short sock_20;" in yard.git.out("show", f"{port.head}:{MIDDLE}")
    assert len(list(yard.patches.iterdir())) == 3
    assert not yard.worktree.exists()


def test_without_a_base_what_does_not_fit_is_beside_the_file(bench: Bench) -> None:
    conflicting(bench)
    for mail in bench.mails.iterdir():
        lines = mail.read_text().splitlines(keepends=True)
        kept = [line for line in lines if not line.startswith(("index ", "base-commit"))]
        mail.write_text("".join(kept))
    edit(bench.new / "net/socket.c", "char socket_12;", "int socket_12;")
    commit(bench.new)
    port, yard = bench.begin(with_origin=False)
    assert hows(port) == [How.MERGED, How.WAITING, How.WAITING]
    reject = yard.worktree / f"{MIDDLE}.rej"
    assert "+long sock_20;" in reject.read_text()
    with pytest.raises(UsageError, match=r"sock\.c\.rej is still there"):
        bench.resume()
    reject.unlink()
    edit(yard.worktree / MIDDLE, "char sock_20;", "short sock_20;")
    yard.save(replace(port, steps=port.steps[:2]))
    port, _ = bench.resume()
    assert hows(port) == [How.MERGED, How.BY_HAND]


def test_thrown_away_is_gone_and_strange_names_are_none(bench: Bench) -> None:
    yard = ports.yard_of("p", bench.settings, RUNNER)
    yard.folder.mkdir(parents=True)
    yard.save(Port("p", "s", "", "7.3", "b" * 40, "b" * 40, (Step("one"),), ("net/a.c",)))
    assert ports.abort("p", bench.settings, RUNNER) == yard.folder
    assert not yard.folder.exists()
    with pytest.raises(UsageError, match="there is no port p"):
        bench.resume()
    with pytest.raises(UsageError, match="is no name for a port"):
        ports.resume("../p", bench.settings, RUNNER)


def test_asking_for_a_port_that_is_not_there_leaves_nothing(bench: Bench) -> None:
    for ask in (ports.resume, ports.abort):
        with pytest.raises(UsageError, match="there is no port nope"):
            ask("nope", bench.settings, RUNNER)
    assert not bench.settings.data.exists()


def test_numbers_that_are_taken_on_the_new_base_are_told(bench: Bench) -> None:
    header = "include/uapi/asm-generic/socket.h"
    far = "/* far */\n" * 8
    for tree, taken in ((bench.old, ""), (bench.new, "#define SO_TAKEN 78\n")):
        (tree / header).parent.mkdir(parents=True)
        (tree / header).write_text(f"#define SO_ZEROCOPY 60\n{far}{taken}")
        commit(tree)
    shutil.rmtree(bench.mails)
    git = Git(RUNNER, bench.old)
    edit(bench.old / header, "COPY 60\n", "COPY 60\n#define SCM_NEW 78\n")
    commit(bench.old, "net: add a type")
    git.run("format-patch", "-q", "-1", "-o", str(bench.mails))
    git.run("reset", "-q", "--hard", "HEAD^")
    port, yard = bench.begin()
    assert port.done
    outcome = ports.numbers(port, yard)
    assert outcome is not None
    assert outcome.verdict is Verdict.FAIL
    assert "SCM_NEW 78 collides with SO_TAKEN 78" in outcome.reason
