# SPDX-License-Identifier: GPL-2.0-only
"""What becomes a series, what is refused, and that the refusal says which mail and why."""

from __future__ import annotations

import base64
import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from kzc.errors import UsageError
from kzc.git import Git
from kzc.series.find import find_series
from kzc.series.read import read_file, read_folder, read_range
from kzc.values import Series
from tests.fakelinux import commit, edit
from tests.plain import RUNNER

DATA = Path(__file__).parents[2] / "data/series"

BARE = """\
diff --git a/net/socket.c b/net/socket.c
--- a/net/socket.c
+++ b/net/socket.c
@@ -10 +10 @@
-int socket_10;
+long socket_10;
"""


def subjects(series: Series) -> list[str]:
    return [patch.subject for patch in series.patches]


def mbox_of(mails: Path, *, numbers: tuple[int, ...] = (0, 1, 2, 3)) -> bytes:
    files = sorted(mails.glob("*.patch"))
    return b"".join(files[number].read_bytes() for number in numbers)


def save(folder: Path, data: bytes | str, name: str = "x.mbox") -> Path:
    file = folder / name
    file.write_bytes(data.encode() if isinstance(data, str) else data)
    return file


def test_a_folder_of_format_patch(mails: Path, kernel: Path) -> None:
    series = read_folder(mails)
    assert series.title == "net: widen three variables"
    assert subjects(series) == [
        "net: widen socket_10",
        "net: widen sock_20",
        "net: widen socket_30",
    ]
    assert [patch.number for patch in series.patches] == [1, 2, 3]
    assert [patch.files for patch in series.patches] == [
        ("net/socket.c",),
        ("net/core/sock.c",),
        ("net/socket.c",),
    ]
    assert series.patches[0].author == "kzc <kzc@localhost>"
    assert (series.name, series.base) == ("mails", Git(RUNNER, kernel).commit_of("HEAD"))


def test_an_mbox_a_gzipped_one_and_crlf_are_the_same_series(mails: Path, tmp_path: Path) -> None:
    data = mbox_of(mails, numbers=(2, 0, 3, 1))
    plain = read_file(save(tmp_path, data, "v1.mbox"))
    packed = read_file(save(tmp_path, gzip.compress(data), "v1.mbox.gz"))
    windows = read_file(save(tmp_path, data.replace(b"\n", b"\r\n"), "v1.crlf.mbox"))
    assert plain.patches == packed.patches == windows.patches == read_folder(mails).patches
    assert plain.name == packed.name == "v1"


def test_a_thread_from_lore(kernel: Path) -> None:
    series = read_file(DATA / "thread.mboxrd")
    assert series.title == "net: widen two variables"
    assert subjects(series) == ["net: widen socket_10 für alle", "net: widen socket_30"]
    assert series.patches[0].author == "Jörg <joerg@example.org>"
    assert series.patches[1].message_id == "<20240730-2@example.org>"
    assert b"\nFrom now on it is a long.\n" in series.patches[1].body
    assert "Für alle — for everybody.".encode() in series.patches[0].body


def test_base64_with_crlf_is_decoded(mails: Path, tmp_path: Path) -> None:
    head, _, body = mbox_of(mails, numbers=(1,)).partition(b"\n\n")
    coded = base64.encodebytes(body.replace(b"\n", b"\r\n"))
    extra = b"\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    series = read_file(save(tmp_path, head.replace(b" 1/3", b"") + extra + coded))
    assert b"\r" not in series.patches[0].body
    assert b"\n+long socket_10;\n" in series.patches[0].body


def test_a_bare_diff_and_a_single_mail_are_series_of_one(mails: Path, tmp_path: Path) -> None:
    series = read_file(save(tmp_path, BARE, "widen.diff"))
    assert (series.name, subjects(series)) == ("widen", ["widen"])
    single = mbox_of(mails, numbers=(1,)).replace(b"[PATCH 1/3]", b"[PATCH net]")
    assert subjects(read_file(save(tmp_path, single, "one.patch"))) == ["net: widen socket_10"]


def test_the_author_that_a_forwarder_names_counts(mails: Path, tmp_path: Path) -> None:
    data = mbox_of(mails, numbers=(1,)).replace(b" 1/3", b"")
    data = data.replace(b"\n\nOne of", b"\n\nFrom: Ann Other <ann@example.org>\n\nOne of")
    assert read_file(save(tmp_path, data)).patches[0].author == "Ann Other <ann@example.org>"


def test_a_range_of_commits(kernel: Path) -> None:
    base = Git(RUNNER, kernel).commit_of("HEAD")
    for number in (3, 4):
        edit(kernel / "net/socket.c", f"int socket_{number};", f"char socket_{number};")
        commit(kernel, f"net: narrow socket_{number}")
    series = read_range(kernel, "HEAD~2..HEAD", RUNNER)
    assert subjects(series) == ["net: narrow socket_3", "net: narrow socket_4"]
    assert series.base == base
    for commits, said in (
        ("HEAD..HEAD~1", "there are no commits in that range"),
        ("HEAD..nowhere", "there is no commit nowhere"),
        ("a...b", "is no range of commits"),
        ("-x..b", "is no range of commits"),
    ):
        with pytest.raises(UsageError, match=said):
            read_range(kernel, commits, RUNNER)


def test_a_merge_in_a_range_is_refused(kernel: Path) -> None:
    git = Git(RUNNER, kernel)
    base = git.commit_of("HEAD")
    edit(kernel / "Kbuild", "net", "main")
    main = commit(kernel, "main")
    tree = git.out("rev-parse", "HEAD^{tree}")
    env = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x", "GIT_COMMITTER_NAME": "x"}
    words = ("commit-tree", "-p", main, "-p", base, "-m", "merge", tree)
    merge = git.out(*words, env={**env, "GIT_COMMITTER_EMAIL": "x"})
    with pytest.raises(UsageError, match="is a merge"):
        read_range(kernel, f"{base}..{merge}", RUNNER)


Change = Callable[[bytes], bytes]


def _until(mark: bytes, extra: int = 0) -> Change:
    return lambda data: data[: data.rindex(mark) + extra]


CUTS: dict[str, tuple[Change, str]] = {
    "in a hunk": (
        _until(b"+long socket_30"),
        r"mail 4: '\[PATCH 3/3\] net: widen socket_30': net/socket.c: hunk @@ -27,7 \+27,7 @@ "
        "int socket_26; is cut at the end",
    ),
    "in a line of a hunk": (_until(b"socket_32;", 4), "is cut at ' int so"),
    "in the commit message": (_until(b"\n---\n"), "mail 4: .* has no diff: cut, or never had one"),
    "in the headers": (
        _until(b"Subject: [PATCH 3/3] net", 19),
        "mail 4: .* has no diff|the series is not whole: 3 of 3 is missing",
    ),
    "after a mail": (_until(b"From ", 0), "the series is not whole: 3 of 3 is missing"),
    "before the diff's first hunk": (
        _until(b"@@ -27,7"),
        r"is cut: its diffstat announces 1 files, \+1 -1, there are 1, \+0 -0",
    ),
}


@pytest.mark.parametrize("cut", CUTS)
def test_a_truncated_mbox_says_what_is_missing(mails: Path, tmp_path: Path, cut: str) -> None:
    change, said = CUTS[cut]
    file = save(tmp_path, change(mbox_of(mails)))
    with pytest.raises(UsageError, match=said) as caught:
        read_file(file)
    assert str(file) in caught.value.message
    assert caught.value.hint


def test_cut_base64_and_cut_gzip(mails: Path, tmp_path: Path) -> None:
    head, _, body = mbox_of(mails, numbers=(1,)).partition(b"\n\n")
    extra = b"\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n"
    coded = base64.encodebytes(body)
    head = head.replace(b" 1/3", b"")
    with pytest.raises(UsageError, match="is cut: its base64 text ends in the middle"):
        read_file(save(tmp_path, head + extra + coded[:-30]))
    packed = gzip.compress(mbox_of(mails))
    with pytest.raises(UsageError, match="gzip data ends in the middle"):
        read_file(save(tmp_path, packed[:-20], "x.gz"))
    with pytest.raises(UsageError, match="damaged gzip data"):
        read_file(save(tmp_path, packed[:10] + b"xxxxxxxxxxxx" + packed[22:], "x.gz"))


REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "it is empty"),
    "blank": (b"\n\n", "it is empty"),
    "binary": (bytes(range(256)) * 4, "binary data, neither mails nor a diff"),
    "prose": (b"hello, is this thing on?\n", r"there is no patch in it \(1 mail\)"),
    "mail without diff": (b"From: a <a@b>\nSubject: hi\n\nhello\n", "there is no patch in it"),
    "pull": (
        b"From: a <a@b>\nSubject: [GIT PULL] net\n\nThe following changes\n",
        "a pull request, not patches",
    ),
    "noise that says PATCH": (
        b"From: a <a@b>\nSubject: [PATCH] x\n\nforgot the diff\n",
        "has no diff",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_series(tmp_path: Path, what: str) -> None:
    data, said = REFUSED[what]
    with pytest.raises(UsageError, match=said):
        read_file(save(tmp_path, data))


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0,), "a cover letter without its patches"),
        ((0, 1, 3), "the series is not whole: 2 of 3 is missing"),
        ((3,), "the series is not whole: 1, 2 of 3 are missing"),
    ],
)
def test_a_series_that_is_not_whole(
    mails: Path, tmp_path: Path, numbers: tuple[int, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        read_file(save(tmp_path, mbox_of(mails, numbers=numbers)))


def test_doubles_are_dropped_unless_they_differ(mails: Path, tmp_path: Path) -> None:
    twice = mbox_of(mails, numbers=(0, 1, 2, 2, 3))
    assert read_file(save(tmp_path, twice)).patches == read_folder(mails).patches
    other = mbox_of(mails, numbers=(2,)).replace(b"+long", b"+char")
    with pytest.raises(UsageError, match=r"two different mails are 2/3: .*mail 3 and .*mail 5"):
        read_file(save(tmp_path, mbox_of(mails) + other))


def test_a_patch_without_a_number_among_numbered_ones(mails: Path, tmp_path: Path) -> None:
    odd = mbox_of(mails, numbers=(1,)).replace(b"[PATCH 1/3]", b"[PATCH]")
    with pytest.raises(UsageError, match="has a diff, but no number among the others"):
        read_file(save(tmp_path, mbox_of(mails) + odd))


def test_format_flowed_is_refused_with_the_reason() -> None:
    with pytest.raises(UsageError, match="format=flowed: the mailer re-wrapped lines"):
        read_file(DATA / "flowed.eml")


@pytest.mark.parametrize(
    "path",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "net/../../x",
        ".git/hooks/post-checkout",
        "a/.GIT/config",
        '"\\056\\056/x"',
        "./x",
    ],
)
@pytest.mark.parametrize("side", ["+++ b/", "rename to "])
def test_a_hostile_path_is_refused(tmp_path: Path, path: str, side: str) -> None:
    quoted = path.startswith('"')
    new = f'+++ "b/{path[1:]}' if quoted else f"+++ b/{path}"
    diff = BARE.replace("+++ b/net/socket.c", new)
    if side == "rename to ":
        to = path if quoted else f"{path}"
        lines = ["similarity index 100%", "rename from net/socket.c", f"rename to {to}", ""]
        diff = BARE.splitlines(keepends=True)[0] + "\n".join(lines)
    with pytest.raises(UsageError, match="which is outside of the tree") as caught:
        read_file(save(tmp_path, diff, "evil.patch"))
    assert "evil" in caught.value.message


def test_where_a_series_is_looked_for(mails: Path, kernel: Path, tmp_path: Path) -> None:
    def find(spec: str) -> Series:
        return find_series(
            spec,
            cwd=tmp_path,
            patches_dir=tmp_path / "patches",
            version="6.12.117",
            repo=kernel,
            runner=RUNNER,
        )

    save(tmp_path, mbox_of(mails))
    edit(kernel / "Kbuild", "net", "new")
    commit(kernel, "kbuild: new")
    assert subjects(find("mails")) == subjects(find("x.mbox"))
    assert subjects(find("main~1..main")) == ["kbuild: new"]
    with pytest.raises(UsageError, match="nothing is no series") as caught:
        find("nothing")
    assert caught.value.hint == "carried are: none"
    (tmp_path / "void").mkdir()
    with pytest.raises(UsageError, match="void: there are no patches in it"):
        find("void")
