# SPDX-License-Identifier: GPL-2.0-only
"""Trying a series on the files of a commit: what fits, and that nothing leaves the folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.series.base import Trial
from kzc.series.scratch import read_blobs, scratch, try_series
from kzc.values import Fit, Patch
from tests.fakelinux import commit, make_kernel, numbered
from tests.plain import RUNNER


def patch(diff: str) -> Patch:
    return Patch(1, "x", "a <a@b>", f"Subject: x\n\nx\n---\n{diff}".encode(), ())


def widened(name: str, number: int) -> Patch:
    word = Path(name).stem
    before, line, after = (f"{word}_{at};" for at in (number - 1, number, number + 1))
    return patch(
        f"--- a/{name}\n+++ b/{name}\n@@ -{number - 1},3 +{number - 1},3 @@\n"
        f" int {before}\n-int {line}\n+long {line}\n int {after}\n"
    )


SOCK, SOCKET = "net/core/sock.c", "net/socket.c"
THREE = (widened(SOCKET, 10), widened(SOCK, 20), widened(SOCKET, 30))


@dataclass(frozen=True)
class Repository:
    """A kernel, and commits on top of it with some files written anew."""

    path: Path

    @property
    def git(self) -> Git:
        return Git(RUNNER, self.path)

    def commit(self, **texts: str) -> str:
        files = {"sock": SOCK, "socket": SOCKET, "header": "include/linux/socket.h"}
        self.git.run("reset", "-q", "--hard", "main")
        self.git.run("checkout", "-q", "--detach")
        for name, text in texts.items():
            (self.path / files[name]).write_text(text)
        return commit(self.path)

    def tried(self, patches: tuple[Patch, ...], on: str = "main") -> Trial:
        return try_series(self.git, on, patches)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository(make_kernel(tmp_path_factory.mktemp("scratch") / "linux"))


def fits(trial: Trial) -> list[Fit]:
    return [step.fit for step in trial.steps]


def test_a_series_that_applies_leaves_nothing_whatever_is_around(
    repo: Repository, tmp_path: Path
) -> None:
    # below the top of a repository git apply skips, silently, what is outside of the folder
    Git(RUNNER, tmp_path).run("init", "-q")
    place = tmp_path / "in"
    place.mkdir()
    trial = try_series(repo.git, "main", THREE, place)
    assert fits(trial) == [Fit.APPLIES] * 3
    assert (trial.whole, trial.words) == (True, "applies")
    assert not try_series(repo.git, "main", (THREE[0], THREE[0]), place).failed
    assert try_series(repo.git, "main", (widened(SOCK, 60),), place).failed
    assert list(place.iterdir()) == []
    assert repo.git.out("status", "--porcelain") == ""


def test_a_conflict_is_named_and_the_rest_tried(repo: Repository) -> None:
    on = repo.commit(sock=numbered("sock").replace("int sock_20;", "char sock_20;"))
    trial = repo.tried(THREE, on)
    assert fits(trial) == [Fit.APPLIES, Fit.CONFLICT, Fit.APPLIES]
    assert trial.words == "2 of 3 apply; 2/3 conflicts at net/core/sock.c:19"


def test_what_is_there_already(repo: Repository) -> None:
    on = repo.commit(sock=numbered("sock").replace("int sock_20;", "long sock_20;"))
    part = repo.tried(THREE, on)
    assert (part.whole, part.words) == (True, "applies (1 of 3 already there)")
    trial = repo.tried(THREE[1:2], on)
    assert (trial.whole, trial.there, trial.words) == (False, True, "already there")


def test_what_fits_both_ways_is_doubtful(repo: Repository) -> None:
    on = repo.commit(socket="a\nb\nc\nd\ne\na\nb\nc\nnew\nd\ne\n")
    text = f"--- a/{SOCKET}\n+++ b/{SOCKET}\n@@ -2,3 +2,4 @@\n b\n c\n+new\n d\n"
    assert fits(repo.tried((patch(text),), on)) == [Fit.BOTH]


def test_a_last_line_without_end_is_there_too(repo: Repository) -> None:
    on = repo.commit(socket="a\nb")
    end = "\\ No newline at end of file\n"
    text = f"--- a/{SOCKET}\n+++ b/{SOCKET}\n@@ -1,2 +1,2 @@\n a\n-c\n{end}+b\n{end}"
    assert repo.tried((patch(text),), on).there


def test_after_several_conflicts_the_rest_is_not_tried(repo: Repository) -> None:
    trial = repo.tried((widened(SOCK, 60),) * 9)
    assert (len(trial.steps), trial.total, trial.whole) == (4, 9, False)


def test_numbers_that_are_taken_are_named(repo: Repository) -> None:
    on = repo.commit(header="#define MSG_ZEROCOPY 60\n#define MSG_OTHER\t78\n")
    diff = (
        "--- a/include/linux/socket.h\n+++ b/include/linux/socket.h\n@@ -1,2 +1,4 @@\n"
        " #define MSG_ZEROCOPY 60\n+#define MSG_MINE 78\n+#define MSG_FREE 80\n #define X 1\n"
    )
    trial = repo.tried((patch(diff),), on)
    assert trial.failed is not None
    (taken,) = trial.failed[1].taken
    assert (taken.new.name, taken.new.shown, taken.taken.name) == ("MSG_MINE", "78", "MSG_OTHER")


def test_why_a_patch_has_no_place(repo: Repository) -> None:
    gone = patch("--- a/gone.c\n+++ b/gone.c\n@@ -1 +1 @@\n-a\n+b\n")
    new = "diff --git a/Kbuild b/Kbuild\nnew file mode 100644\n--- /dev/null\n+++ b/Kbuild\n"
    first, second = repo.tried((gone, patch(f"{new}@@ -0,0 +1 @@\n+x\n"))).steps
    assert first.words == "does not apply: gone.c: No such file or directory"
    assert second.words == "does not apply: Kbuild: already exists in working directory"


def test_only_files_of_the_series_get_in_with_their_modes(repo: Repository) -> None:
    (repo.path / "link").symlink_to("/etc/passwd")
    head = repo.commit()
    names = ["scripts/run", "link", "net", "nowhere/x", "scripts/*"]
    with scratch(repo.git, head, names) as folder:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
        assert found == {"scripts", "scripts/run", "link", "net"}
        assert (folder / "scripts/run").stat().st_mode & 0o777 == 0o755
        assert (folder / "link").is_symlink()
    assert not folder.exists()


def test_no_link_is_written_through(repo: Repository, tmp_path: Path) -> None:
    victim = tmp_path / "victim.c"
    victim.write_text("a\n")
    (repo.path / "net/link.c").symlink_to(victim)
    on = repo.commit()
    new = "diff --git a/{0} b/{0}\nnew file mode {1}\n--- /dev/null\n+++ b/{0}\n@@ -0,0 +1 @@\n"
    end = "\\ No newline at end of file\n"
    trial = repo.tried(
        (
            patch("--- a/net/link.c\n+++ b/net/link.c\n@@ -1 +1 @@\n-a\n+b\n"),
            patch(f"{new.format('d', 120000)}+{tmp_path}\n{end}"),
            patch(f"{new.format('d/x', 100644)}+x\n"),
        ),
        on,
    )
    assert fits(trial) == [Fit.CONFLICT, Fit.APPLIES, Fit.CONFLICT]
    assert "beyond a symbolic link" in trial.steps[2].words
    assert victim.read_text() == "a\n"
    assert [path.name for path in tmp_path.iterdir()] == ["victim.c"]


@pytest.mark.parametrize("path", ["../x.c", "/tmp/x.c", ".git/config"])
def test_a_hostile_path_is_refused(repo: Repository, path: str) -> None:
    evil = f"--- a/{SOCK}\n+++ b/{path}\n@@ -1 +1 @@\n-a\n+b\n"
    with pytest.raises(UsageError, match="outside of the tree"):
        repo.tried((patch(evil),))


def test_blobs_by_name(repo: Repository) -> None:
    found = read_blobs(repo.git, ["main:Kbuild", "main:nowhere", "main:net", "main:Kconfig"])
    assert found == [b"obj-y += net/\n", None, None, b'mainmenu "fake"\n']
