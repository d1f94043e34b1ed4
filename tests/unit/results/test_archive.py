# SPDX-License-Identifier: GPL-2.0-only
"""A run travels in a file; a file that somebody made up gets nothing in, and nothing out."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard

from kzc.errors import HostError, UsageError
from kzc.results.store import Store
from kzc.values import Run

from . import sample

LIMIT = 1 << 22
LOG = b"a line\n" * 1000
SHA = hashlib.sha256(LOG).hexdigest()
About = dict[str, Any]


def make(store: Store) -> Run:
    written = sample.run()
    with store.create(written.command, written.environment, written.kzc) as run:
        for each in written.outcomes:
            run.append(each)
        (run.logs / "apply.log").write_bytes(LOG)
        (run.folder / "odd \udcff").write_bytes(LOG)
        (run.folder / "link").symlink_to("/etc/passwd")
    return run.run


def members(file: Path) -> dict[str, bytes]:
    with zstandard.open(file) as plain, tarfile.open(fileobj=plain, mode="r|") as tar:
        return {
            each.name: ((found := tar.extractfile(each)) and found.read()) or b"" for each in tar
        }


def pack(file: Path, about: Any, *more: tuple[tarfile.TarInfo, bytes]) -> Path:
    head = tarfile.TarInfo("run.json")
    data = about if isinstance(about, bytes) else json.dumps(about).encode()
    with zstandard.open(file, "wb") as packed, tarfile.open(fileobj=packed, mode="w|") as tar:
        for member, content in ((head, data), *more):
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file


def test_a_run_arrives_as_it_left(tmp_path: Path, db: str) -> None:
    here = Store(tmp_path / "here", db)
    run = make(here)
    file = tmp_path / "run.tar.zst"
    here.export(run, file)
    assert members(file).keys() == {"run.json", f"files/{SHA}"}
    there = Store(tmp_path / "there")
    assert there.take(file, LIMIT) == (run, True)
    assert there.take(file, LIMIT) == (run, False)
    assert there.load() == run
    folder = there.folder_of(run)
    assert (folder / "logs" / "apply.log").read_bytes() == LOG
    assert (folder / "odd \udcff").read_bytes() == LOG
    assert not (folder / "link").exists()
    with there.create(("kzc",), {}, "0"):
        pass
    assert len(there.list()) == 2


def test_another_run_of_that_name_is_refused(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path / "here", db)
    run = make(store)
    store.export(run, tmp_path / "x")
    about = json.loads(members(tmp_path / "x")["run.json"])
    about["run"]["kzc"] = "another"
    member = tarfile.TarInfo(f"files/{SHA}")
    with pytest.raises(UsageError, match="another run called"):
        store.take(pack(tmp_path / "y", about, (member, LOG)), LIMIT)
    assert store.load() == run


def test_a_run_that_goes_on_is_not_exported(tmp_path: Path, db: str) -> None:
    store = Store(tmp_path / "here", db)
    with store.create(("kzc",), {}, "0") as run, pytest.raises(UsageError, match="goes on"):
        store.export(run.run, tmp_path / "x")
    assert not (tmp_path / "x").exists()


def other(where: str, value: Any) -> Callable[[About], Any]:
    """The same with another value at `a.b.0`; where it stands for all, that."""

    def change(about: About) -> Any:
        *above, last = where.split(".")
        at: Any = about
        for name in above:
            at = at[int(name) if name.isdigit() else name]
        at[int(last) if last.isdigit() else last] = value
        return about

    return change


WRONG: list[Callable[[About], Any]] = [
    other("form", 2),
    other("run.id", "../../x"),
    other("run.command", "kzc"),
    other("run.environment", {"tree": 1}),
    other("run.outcomes.0.verdict", "splendid"),
    other("run.outcomes.0.seconds", "long"),
    other("run.outcomes.0.log", "../../../etc/passwd"),
    other("run.outcomes.0.log", "/etc/passwd"),
    other("run.outcomes.0.reason", ["a"]),
    other("run.outcomes.0.cases", 7),
    other("files.0.path", "../x"),
    other("files.0.path", "/x"),
    other("files.0.path", ""),
    other("files.0.path", "a\0b"),
    other("files.0.path", "logs"),
    other("files.0.sha256", "../../x"),
    other("files.0.size", -1),
    other("files", []),
    lambda about: [about],
    lambda about: b"{",
    lambda about: b'{"form": NaN}',
    lambda about: b"[" * 100_000,
]


def test_what_is_not_right_is_refused_whole(tmp_path: Path, travelled: About) -> None:
    member = tarfile.TarInfo(f"files/{SHA}")
    for change in WRONG:
        about = change(json.loads(json.dumps(travelled)))
        refused(tmp_path, pack(tmp_path / "x", about, (member, LOG)))


@pytest.fixture(scope="module")
def travelled(tmp_path_factory: pytest.TempPathFactory) -> About:
    """The run.json of a good archive."""
    folder = tmp_path_factory.mktemp("good")
    store = Store(folder)
    store.export(make(store), folder / "x")
    found: About = json.loads(members(folder / "x")["run.json"])
    found["files"].append({**found["files"][0], "path": "b"})
    return found


def refused(tmp_path: Path, file: Path, said: str = "is no run") -> None:
    store = Store(tmp_path / "there")
    with pytest.raises(UsageError, match=said):
        store.take(file, LIMIT)
    assert store.list() == ()
    left = [path for path in (tmp_path / "there").rglob("*") if path.name[:6] != "kzc.db"]
    assert [path for path in left if path.is_file()] == []
    assert [path.name for path in tmp_path.iterdir() if path.name not in {"x", "there"}] == []


def test_a_member_that_is_not_as_it_is_named_is_refused(tmp_path: Path, travelled: About) -> None:
    for name, kind, content in (
        (f"files/{SHA}", tarfile.REGTYPE, LOG[:-1]),
        (f"files/{SHA}", tarfile.SYMTYPE, b""),
        (f"files/{SHA}", tarfile.CHRTYPE, b""),
        (f"../{SHA}", tarfile.REGTYPE, LOG),
        ("run.json", tarfile.REGTYPE, LOG),
    ):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, "/etc/passwd"
        refused(tmp_path, pack(tmp_path / "x", travelled, (member, content)))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, travelled: About) -> None:
    zeros = bytes(4 * LIMIT)
    about = json.loads(json.dumps(travelled))
    sha = hashlib.sha256(zeros).hexdigest()
    about["files"] = [{"path": "a", "sha256": sha, "size": len(zeros)}]
    file = pack(tmp_path / "x", about, (tarfile.TarInfo(f"files/{sha}"), zeros))
    assert file.stat().st_size < 20_000
    refused(tmp_path, file, "holds more than")


def test_a_cut_file_is_refused(tmp_path: Path, travelled: About) -> None:
    whole = pack(tmp_path / "x", travelled, (tarfile.TarInfo(f"files/{SHA}"), LOG)).read_bytes()
    for length in (0, 10, len(whole) // 2, len(whole) - 20):
        (tmp_path / "x").write_bytes(whole[:length])
        refused(tmp_path, tmp_path / "x")


def test_a_content_that_was_changed_on_disk_is_not_shown(tmp_path: Path) -> None:
    store = Store(tmp_path / "here")
    run = make(store)
    folder = store.folder_of(run)
    folder.rename(tmp_path / "away")
    (blob,) = (tmp_path / "here" / "logs").rglob(f"{SHA}.zst")
    blob.write_bytes(zstandard.compress(b"something else"))
    with pytest.raises(HostError, match="is damaged"):
        store.folder_of(run)
    assert not folder.exists()
