# SPDX-License-Identifier: GPL-2.0-only
"""Nothing is written outside of the worktree: refused when read, and not done when applied."""

from __future__ import annotations

from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.series.apply import apply_series
from kzc.series.mail import read_mail
from kzc.values import Fit, Patch, Series
from tests.plain import RUNNER
from tests.unit.series.posts import patch, take


def made(path: str, text: str = "evil", mode: str = "100644") -> str:
    """A diff that makes a file, or with mode 120000 a link to `text`."""
    end = "\n\\ No newline at end of file\n" if mode == "120000" else "\n"
    return (
        f"diff --git a/{path} b/{path}\nnew file mode {mode}\n--- /dev/null\n+++ b/{path}\n"
        f"@@ -0,0 +1 @@\n+{text}{end}"
    )


def linked(target: str) -> str:
    return made("net/door", target, "120000")


# each series as the diffs of its patches; {out} is a folder beside the worktree
ATTACKS: dict[str, tuple[str, ...]] = {
    "above": (made("../evil"),),
    "above, from below": (made("net/../../evil"),),
    "absolute": (made("/{out}/evil"),),
    "a hook": (made(".git/hooks/post-checkout"),),
    "a hook, shouted": (made(".GIT/hooks/post-checkout"),),
    "through a link, one patch": (linked("{out}") + made("net/door/evil"),),
    "through a link, two patches": (linked("{out}"), made("net/door/evil")),
    "through a relative link": (linked("../../out"), made("net/door/evil")),
    "through a link into .git": (linked("../.git/hooks"), made("net/door/post-checkout")),
    "through a link inside": (linked("core"), made("net/door/evil")),
    "a link that a build may follow": (linked("{out}"),),
    "a rename": (
        "diff --git a/net/socket.c b/../evil\nsimilarity index 100%\nrename from net/socket.c\n"
        "rename to ../evil\n",
    ),
}


# one of each kind, as applying takes its time
APPLIED = ("absolute", "a hook", "through a link, two patches", "through a link into .git")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


def mails(attack: str, out: Path) -> list[bytes]:
    diffs = [diff.replace("{out}", str(out).lstrip("/")) for diff in ATTACKS[attack]]
    diffs = [diff.replace(f"+{str(out).lstrip('/')}\n", f"+{out}\n") for diff in diffs]
    return [
        patch(f"{at}/{len(diffs)}", f"evil {at}", diff, f"{at}@x", "c@x")
        for at, diff in enumerate(diffs, start=1)
    ]


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_is_refused_when_read(attack: str, out: Path) -> None:
    with pytest.raises(UsageError, match=r"outside of the tree|through the link") as caught:
        take(mails(attack, out))
    assert "no honest patch does" in caught.value.hint


def files(top: Path) -> dict[str, bytes]:
    """All that there is but the worktree's objects, refs and logs, which git writes itself."""
    own = ("linux/.git/objects", "linux/.git/refs/kzc", "linux/.git/logs", "linux/.git/kzc-")
    found = {str(path.relative_to(top)): path for path in top.rglob("*") if path.is_file()}
    inside = {name: path for name, path in found.items() if not name.startswith(own)}
    loose = ("index", "HEAD", "ORIG_HEAD", "kzc.lock", "COMMIT_EDITMSG")
    return {
        name: path.read_bytes()
        for name, path in inside.items()
        if not (name.startswith("linux/") and ".git" not in name) and Path(name).name not in loose
    }


def test_it_is_not_done_when_applied_all_the_same(kernel: Path, out: Path, tmp_path: Path) -> None:
    base = Git(RUNNER, kernel).commit_of("HEAD")
    hooks = kernel / ".git/hooks"
    hooks.mkdir(exist_ok=True)
    before = files(tmp_path)
    for attack in APPLIED:
        patches = []
        for number, raw in enumerate(mails(attack, out), start=1):
            mail = read_mail(raw)
            patches.append(Patch(number, mail.title, mail.author, mail.rewritten, ("x",)))
        applied = apply_series(kernel, Series("evil", attack, tuple(patches)), RUNNER)
        assert not applied.whole, attack
        assert applied.fits[-1].fit is Fit.CONFLICT
        assert files(tmp_path) == before, attack
        assert not any(out.iterdir())
        Git(RUNNER, kernel).run("checkout", "-q", "-f", "--detach", base)


def test_a_link_within_the_tree_is_a_patch_like_others(kernel: Path) -> None:
    raw = patch("net", "a link", made("net/door", "core/sock.c", "120000"), "a@x")
    series = take([raw]).series
    assert apply_series(kernel, series, RUNNER).whole
    assert (kernel / "net/door").readlink() == Path("core/sock.c")
