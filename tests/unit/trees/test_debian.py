# SPDX-License-Identifier: GPL-2.0-only
"""Debian's source packages, with the real apt and dpkg on an archive of one small package."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from kzc.errors import HostError, UsageError
from kzc.git import Git
from kzc.settings import Settings
from kzc.trees import apt
from kzc.trees.debian import commit_tarball, newest, parse_package, tree_of_package
from kzc.trees.find import add_tree, find_tree
from tests.fakelinux import write_kernel
from tests.plain import RUNNER

PACKAGE = "linux-source-9.9-fake"
VERSION = "9.9.1-1~test1"

needs_dpkg = pytest.mark.skipif(
    not (shutil.which("dpkg-deb") and shutil.which("apt-get")), reason="no apt here"
)


def make_tarball(folder: Path, out: Path) -> Path:
    """A tarball as Debian makes them: one folder, and a .gitignore that names everything."""
    kernel = write_kernel(folder / "linux-source-9.9")
    (kernel / ".gitignore").write_text("*.o\n/*\n")
    (kernel / "link").symlink_to("Kbuild")
    for path in kernel.rglob("*"):
        os.utime(path, (1_700_000_000, 1_700_000_000), follow_symlinks=False)
    os.utime(kernel / "Kbuild", (1_700_000_777, 1_700_000_777))
    out.parent.mkdir(parents=True, exist_ok=True)
    RUNNER.capture(["tar", "-C", str(folder), "-cJf", str(out), kernel.name])
    return out


def make_archive(
    folder: Path, package: str = PACKAGE, with_tarball: bool = True, version: str = VERSION
) -> Path:
    """A Debian archive with the suites `stable` (empty) and `backports`."""
    root = folder / f"root-{package}-{version}"
    (root / "DEBIAN").mkdir(parents=True)
    control = (
        f"Package: {package}\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: kzc <kzc@localhost>\nDescription: test\n"
    )
    (root / "DEBIAN/control").write_text(control)
    if with_tarball:
        make_tarball(folder / "content", root / f"usr/src/{package}.tar.xz")
    pool = folder / "mirror/pool"
    pool.mkdir(parents=True, exist_ok=True)
    deb = pool / f"{package}_{version}_all.deb"
    RUNNER.capture(["dpkg-deb", "--root-owner-group", "-b", str(root), str(deb)])
    data = deb.read_bytes()
    entry = (
        f"{control}Filename: pool/{deb.name}\nSize: {len(data)}\n"
        f"SHA256: {hashlib.sha256(data).hexdigest()}\n\n"
    )
    for suite, text in (("stable", ""), ("backports", entry)):
        index = folder / f"mirror/dists/{suite}/main/binary-all/Packages"
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        release = (
            f"Suite: {suite}\nCodename: {suite}\nArchitectures: all amd64\nComponents: main\n"
            f"SHA256:\n {digest} {len(text)} main/binary-all/Packages\n"
        )
        (folder / f"mirror/dists/{suite}/Release").write_text(release)
    return folder / "mirror"


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's apt, set up with the small archive only."""
    mirror = make_archive(tmp_path / "archive")
    lists = tmp_path / "apt"
    (lists / "lists/partial").mkdir(parents=True)
    (lists / "sources").write_text(f"deb file:{mirror} stable main\n")
    (lists / "conf").write_text(
        f'Dir::Etc::sourcelist "{lists}/sources";\nDir::Etc::sourceparts "/dev/null";\n'
        f'Dir::State::lists "{lists}/lists";\nDir::Cache "{lists}/cache";\n'
        'Acquire::AllowInsecureRepositories "true";\nAPT::Get::AllowUnauthenticated "true";\n'
        'APT::Update::Post-Invoke { "false"; };\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(lists / "conf"))
    return mirror


def test_the_same_tarball_is_the_same_commit_and_nothing_is_ignored(tmp_path: Path) -> None:
    tarball = make_tarball(tmp_path / "content", tmp_path / "linux.tar.xz")
    commits = []
    for name in ("one", "two"):
        scratch = tmp_path / name
        scratch.mkdir()
        commits.append(commit_tarball(tarball, scratch, scratch / "r.git", "linux 9.9", RUNNER))
    git = Git(RUNNER, git_dir=tmp_path / "one/r.git")
    listed = git.out("ls-tree", "-r", "HEAD")
    assert commits[0] == commits[1]
    assert "100755 blob" in next(line for line in listed.splitlines() if "scripts/run" in line)
    assert "120000 blob" in next(line for line in listed.splitlines() if "\tlink" in line)
    assert "net/core/sock.c" in listed
    assert git.out("show", "-s", "--format=%cn %ct %an %at", "HEAD") == (
        "kzc 1700000777 kzc 1700000777"
    )


def test_newest_looks_at_files_not_at_folders(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a/b").touch()
    os.utime(tmp_path / "a/b", (5, 5))
    assert newest(tmp_path) == 5


@needs_dpkg
def test_a_package_of_another_suite_becomes_a_tree(archive: Path, settings: Settings) -> None:
    tree = add_tree("fake", f"debian:{PACKAGE}@backports", Path("/"), settings, RUNNER)
    assert (tree.name, tree.kind, tree.version) == ("fake", "debian", "6.12.117")
    assert tree.source == f"debian:{PACKAGE}@backports"
    assert not list((settings.cache / "repos").glob(".making-*"))
    assert not list(settings.cache.rglob("*.deb"))
    # all of it is in the cache now: the archive is not asked any more
    shutil.rmtree(archive)
    assert find_tree("fake", Path("/"), settings, RUNNER) == tree


@needs_dpkg
def test_a_killed_import_leaves_nothing_in_the_way(archive: Path, settings: Settings) -> None:
    name = f"{PACKAGE}-9.9.1-1_test1.git"
    half_made = settings.cache / f"repos/.making-{name}/{name}"
    half_made.mkdir(parents=True)
    (half_made / "HEAD").write_text("torn")
    tree = tree_of_package("", PACKAGE, "backports", settings, RUNNER)
    assert tree.repo.name == name
    assert Git(RUNNER, git_dir=tree.repo).commit_of("HEAD") == tree.commit


@needs_dpkg
def test_lists_that_were_never_fetched_or_are_too_old_are_fetched_for_kzc(
    archive: Path, settings: Settings
) -> None:
    system = archive.parents[1] / "apt"
    (system / "sources").write_text(f"deb file:{archive} backports main\n")
    tree = tree_of_package("", PACKAGE, "", settings, RUNNER)
    assert tree.repo.name == f"{PACKAGE}-9.9.1-1_test1.git"
    assert not list((system / "lists").glob("*Packages*"))
    # the machine's lists are fetched then, the archive drops that version, and kzc's cache goes
    RUNNER.capture(["apt-get", "update", "-q"], check=False)  # its hook fails, after the fetching
    assert list((system / "lists").glob("*Packages*"))
    assert tree_of_package("", PACKAGE, "", settings, RUNNER) == tree
    shutil.rmtree(archive)
    shutil.rmtree(archive.parent / "content")
    make_archive(archive.parent, version="9.9.2-1~test1")
    shutil.rmtree(settings.cache)
    newer = tree_of_package("", PACKAGE, "", settings, RUNNER)
    assert newer.repo.name == f"{PACKAGE}-9.9.2-1_test1.git"
    # and the newer lists are the ones that tell from now on, without the archive
    shutil.rmtree(archive)
    assert tree_of_package("", PACKAGE, "", settings, RUNNER) == newer
    shutil.rmtree(settings.cache)
    with pytest.raises(HostError, match=r"cannot download|not all lists could be fetched"):
        tree_of_package("", PACKAGE, "", settings, RUNNER)


@needs_dpkg
def test_unknown_package_unknown_suite_and_one_without_a_tarball(
    archive: Path, settings: Settings
) -> None:
    with pytest.raises(UsageError, match=f"apt knows no package {PACKAGE}"):
        tree_of_package("", PACKAGE, "", settings, RUNNER)
    with pytest.raises(UsageError, match="no linux-source-1 in backports"):
        tree_of_package("", "linux-source-1", "backports", settings, RUNNER)
    with pytest.raises(HostError, match=f"no {PACKAGE} in nowhere") as caught:
        tree_of_package("", PACKAGE, "nowhere", settings, RUNNER)
    assert str(archive) in caught.value.message
    make_archive(archive.parent, "linux-source", with_tarball=False)
    with pytest.raises(UsageError, match="has no source tarball in it"):
        tree_of_package("", "linux-source", "backports", settings, RUNNER)
    assert not list((settings.cache / "repos").glob("*.git"))


@pytest.mark.parametrize(
    "text", ["", "Linux", "a b", "linux@", "linux@a b", "linux@x\ndeb y", "-o"]
)
def test_what_is_no_package(text: str) -> None:
    with pytest.raises(UsageError, match="names no package"):
        parse_package(text)


def test_package_and_suite() -> None:
    assert parse_package("linux-source-6.12") == ("linux-source-6.12", "")
    assert parse_package("linux-source-7.3@trixie-backports") == (
        "linux-source-7.3",
        "trixie-backports",
    )


def test_mirrors_are_folded_and_make_source_lines() -> None:
    lines = ["http://a/debian/ main", "http://a/debian/ contrib", "http://a/debian/ main", ""]
    (mirror,) = apt.parse_mirrors([*lines, "x"])
    assert apt.source_line(mirror, "s") == "deb http://a/debian/ s main contrib\n"
    assert apt.source_line(mirror, "s", "/k") == (
        "deb [signed-by=/k] http://a/debian/ s main contrib\n"
    )


def test_the_output_of_apt_cache_show() -> None:
    lines = ["Package: p", "Version: 1:2", "Size: 30", "Description: d: e", " Size: 5", ""]
    assert apt.parse_show("p", lines) == apt.Package("p", "1:2", 30)
    assert apt.parse_show("p", ["Package: p"]) is None
