# SPDX-License-Identifier: GPL-2.0-only
"""The search for a base on real repositories: tags, branches, trees in the cache, none at all."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import IDENTITY, Git
from kzc.jobs.base import Request, find_base
from kzc.series.base import Answer, Candidate, Known, Verdict
from kzc.series.read import read_folder
from kzc.settings import Settings
from kzc.trees.find import add_tree
from kzc.values import Series
from tests.fakelinux import commit, edit, make_kernel, make_series
from tests.plain import RUNNER


@dataclass(frozen=True)
class World:
    """A checkout with tags v1 (the base), v2 and v3, its tree "linux", and a series for v1.

    v2 changes nothing that the series touches, v3 does.
    """

    settings: Settings
    linux: Path
    series: Series
    elsewhere: Path

    @property
    def git(self) -> Git:
        return Git(RUNNER, self.linux)

    def find(self, series: Series | None = None, *trees: str, **more: bool) -> Answer:
        asked = Request(series or self.series, self.elsewhere, trees, **more)
        return find_base(asked, self.settings, RUNNER, lambda _: None)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    top = tmp_path_factory.mktemp("world")
    linux = make_kernel(top / "linux")
    git = Git(RUNNER, linux)
    mails = make_series(linux, top / "mails")
    git.run("tag", "v1")
    edit(linux / "Kconfig", "fake", "other")
    commit(linux, "kconfig")
    later = {**IDENTITY, "GIT_COMMITTER_DATE": "1700003600 +0000"}
    git.run("commit", "-q", "--amend", "--no-edit", env=later)
    git.run("tag", "v2")
    edit(linux / "net/core/sock.c", "int sock_20;", "char sock_20;")
    commit(linux, "sock")
    git.run("tag", "v3")
    settings = Settings(cache=top / "cache", data=top / "data")
    add_tree("linux", str(linux), top, settings, RUNNER)
    (top / "elsewhere").mkdir()
    return World(settings, linux, replace(read_folder(mails), base=""), top / "elsewhere")


def by_label(found: Answer) -> dict[str, Candidate]:
    return {each.label: each for each in found.candidates}


def without_index(series: Series) -> Series:
    patches = tuple(
        replace(patch, body=re.sub(rb"(?m)^index .*\n", b"", patch.body))
        for patch in series.patches
    )
    return replace(series, patches=patches)


def test_blobs_lead_to_the_tag_and_git_am_proves_it(world: World) -> None:
    before = world.git.out("status", "--porcelain", "--branch")
    refs = world.git.out("for-each-ref")
    found = world.find()
    assert (found.verdict, found.known) == (Verdict.FOUND, Known.BLOBS)
    assert found.base is not None
    # both have the same files: the newer one is taken, the other not tried again
    assert found.base.ref == "v2"
    assert found.base.spec == f"{world.linux}#v2"
    seen = by_label(found)
    assert [(seen[name].score.hits, seen[name].score.of) for name in ("v1", "v2", "v3")] == [
        (2, 2),
        (2, 2),
        (1, 2),
    ]
    assert seen["v1"].note == "not tried: the same files as v2"
    assert seen["v3"].note == "not tried: v2 is likelier, and fits"
    assert seen["v2"].version == "6.12.117"
    assert world.git.out("status", "--porcelain", "--branch") == before
    assert world.git.out("for-each-ref") == refs


def test_the_base_commit_outranks_all_and_need_have_no_name(world: World) -> None:
    base = world.git.commit_of("v1")
    found = world.find(replace(world.series, base=base), quick=True)
    assert found.known is Known.COMMIT
    assert found.base is not None
    assert (found.base.commit, found.base.named) == (base, True)
    tree = world.git.out("rev-parse", "v1^{tree}")
    loose = world.git.out("commit-tree", "-m", "loose", tree, env=IDENTITY)
    found = world.find(replace(world.series, base=loose), quick=True)
    assert found.base is not None
    assert (found.base.commit, found.base.spec) == (loose, f"{world.linux}#{loose}")


def test_a_base_commit_that_is_nowhere_is_said_and_the_search_goes_on(world: World) -> None:
    found = world.find(replace(world.series, base="12" * 20), quick=True)
    assert (found.verdict, found.known) == (Verdict.FOUND, Known.UNREACHABLE)
    assert found.notes == ("it names base-commit 121212121212, which is in none of the trees",)


def test_without_index_lines_only_trying_tells(world: World) -> None:
    found = world.find(without_index(world.series), every=True, quick=True)
    assert (found.verdict, found.known) == (Verdict.FOUND, Known.NOTHING)
    # the head comes first, for want of anything better, and does not fit
    assert [each.label for each in found.candidates] == ["v3", "v2", "v1"]
    third = found.candidates[0].trial
    assert third is not None
    assert third.words == "2 of 3 apply; 2/3 conflicts at net/core/sock.c:17"
    assert found.base is not None
    assert found.base.ref == "v2"


def test_a_tree_that_is_named_is_the_only_one(world: World) -> None:
    found = world.find(None, f"{world.linux}#v3")
    assert found.verdict is Verdict.CONFLICT
    assert len(found.candidates) == 1
    assert found.reason.startswith("2 of 3 apply on 6.12.117 (tree linux); patch 2 conflicts at")
    assert "1 of the 2 files" in found.hint
    with pytest.raises(UsageError, match="nowhere is no tree"):
        world.find(None, "nowhere")


def test_a_series_that_the_tree_has(world: World) -> None:
    one = replace(world.series, patches=world.series.patches[1:2])
    world.git.run("checkout", "-q", "-b", "done", "v1")
    edit(world.linux / "net/core/sock.c", "int sock_20;", "long sock_20;")
    commit(world.linux, "done")
    world.git.run("checkout", "-q", "main")
    found = world.find(one, f"{world.linux}#done")
    assert found.verdict is Verdict.ALREADY
    world.git.run("branch", "-qD", "done")


def test_new_files_a_name_with_a_newline_and_a_tree_that_is_gone(
    world: World, tmp_path: Path
) -> None:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data")
    record = (world.settings.data / "trees/linux.json").read_text()
    void = record.replace(str(world.linux), str(tmp_path / "void"))
    (tmp_path / "data/trees").mkdir(parents=True)
    for name, text in (("gone", void), ("kept", record)):
        named = text.replace('"linux"', f'"{name}"')
        (tmp_path / f"data/trees/{name}.json").write_text(named)
    head = b'diff --git "a/%s" "b/%s"\nnew file mode 100644\n--- /dev/null\n+++ "b/%s"\n'
    new = head + b"@@ -0,0 +1 @@\n+x\n"
    names = (b"new\\nline", b"n.c")
    body = b"Subject: x\n\nx\n---\n" + b"".join(new.replace(b"%s", name) for name in names)
    odd = replace(world.series, patches=(replace(world.series.patches[0], body=body),))
    asked = Request(odd, tmp_path, quick=True)
    found = find_base(asked, settings, RUNNER, lambda _: None)
    assert found.base is not None
    assert found.base.tree == "kept"
    assert found.known is Known.NEW_FILES
    assert found.notes[0].startswith("tree gone is left out: ")
    assert found.notes[1].startswith("it only adds files")


def test_no_tree_at_all(world: World, tmp_path: Path) -> None:
    settings = Settings(cache=tmp_path / "cache", data=tmp_path / "data")
    found = find_base(Request(world.series, tmp_path), settings, RUNNER, lambda _: None)
    assert found.verdict is Verdict.NO_TREE


def test_the_subject_s_prefix_breaks_a_tie(world: World, tmp_path: Path) -> None:
    for file in sorted(Path(world.series.origin).glob("*.patch")):
        text = file.read_text().replace("[PATCH ", "[PATCH v1 ").replace("v1 ", "v1 net ")
        (tmp_path / file.name).write_text(text)
    world.git.run("branch", "-q", "net", "v1")
    named = replace(read_folder(tmp_path), base="")
    found = world.find(named, quick=True)
    assert found.base is not None
    assert found.base.commit == world.git.commit_of("v1")
    assert found.base.kin
    world.git.run("branch", "-qD", "net")


def test_prerequisites_that_a_tree_has_are_told(world: World, tmp_path: Path) -> None:
    git = world.git
    shown = git.run("show", "--format=", "v3").raw
    patch_id = git.run("patch-id", "--stable", stdin=shown).stdout.split()[0]
    start = git.out("rev-parse", "HEAD")
    try:
        edit(world.linux / "net/core/sock.c", "int sock_5;", "long sock_5;")
        commit(world.linux, "net: five\n\nLink: https://lore.kernel.org/r/five@example.org\n")
        wanted = (patch_id, "five@example.org", "nowhere@example.org", "9" * 40)
        found = world.find(replace(world.series, prerequisites=wanted))
        tip = git.out("rev-parse", "HEAD")
    finally:
        git.run("reset", "-q", "--hard", start)
    assert [(each.name, each.commit) for each in found.present] == [
        (patch_id, git.out("rev-parse", "v3")),
        ("five@example.org", tip),
    ]
    assert "it names 4 prerequisite patches; 2 of them found in the trees" in found.notes
    assert f"five@example.org is {tip[:12]} in tree linux: net: five" in found.notes
    # the first commit has no parent, and all of a kernel in its diff
    root = git.run("show", "--format=", "--root", git.out("rev-list", "--max-parents=0", "HEAD"))
    whole = git.run("patch-id", "--stable", stdin=root.raw).stdout.split()[0]
    assert world.find(replace(world.series, prerequisites=(whole,))).present == ()
