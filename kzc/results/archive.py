# SPDX-License-Identifier: GPL-2.0-only
"""A run in one file: a tar of run.json and of its files by content, compressed with zstd.

What is read may come from anybody. Rule: only members of these names, each content under its own
hash, paths that stay in the run's folder, no more bytes than are allowed; and nothing is in the
store before all of it was seen to be right.
"""

from __future__ import annotations

import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, NoReturn, cast

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from kzc.errors import UsageError
from kzc.results.blobs import HASH, Blob, Blobs, Kept
from kzc.results.codec import header_to_json, outcome_to_json
from kzc.results.disk import blamed
from kzc.results.folders import inside
from kzc.values import Run

SUFFIX = ".tar.zst"
FORM = 1
_ABOUT, _FILES = "run.json", "files/"
_MEMBERS = 100_000
_WINDOW = 1 << 27  # bytes that unpacking may need in memory
_HINT = "have it exported again; nothing was taken in"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _File(_Strict):
    path: str
    sha256: str
    size: int


class _About(_Strict):
    form: int
    run: dict[str, Any]
    files: list[_File]


@dataclass(frozen=True)
class Unpacked:
    """A run from an archive, its files, and where their contents lie for now."""

    run: Run
    files: tuple[Kept, ...]
    blobs: Blobs


def pack(run: Run, files: tuple[Kept, ...], blobs: Blobs, target: Path) -> None:
    """Write the archive, whole or not at all. Raises UsageError, HostError."""
    import zstandard

    about = {
        "form": FORM,
        "run": {
            **header_to_json(run),
            "outcomes": [outcome_to_json(outcome) for outcome in run.outcomes],
        },
        "files": [{"path": each.path, **asdict(each.blob)} for each in files],
    }
    part = target.with_name(f".{target.name}.part")
    try:
        with (
            blamed(target, named=True),
            part.open("wb") as file,
            zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packed,
            tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar,
        ):
            data = json.dumps(about).encode()
            tar.addfile(_member(_ABOUT, len(data)), io.BytesIO(data))
            for blob in dict.fromkeys(each.blob for each in files):
                with blobs.opened(blob.sha256) as source:
                    tar.addfile(_member(_FILES + blob.sha256, blob.size), source)
        with blamed(target, named=True):
            part.replace(target)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def unpacked(source: Path, beside: Path, limit: int) -> Iterator[Unpacked]:
    """The checked content of an archive, until the block ends.

    Raises UsageError where it is no archive of kzc's, is damaged, or holds more than `limit` bytes.
    """
    import zstandard

    with ExitStack() as stack:
        with blamed(beside):
            beside.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=".load-", dir=beside))
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        try:
            with (
                source.open("rb") as file,
                zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(file) as plain,
            ):
                found = _read(_Bounded(cast(BinaryIO, plain), limit), Blobs(folder))
        except FileNotFoundError:
            raise UsageError(f"there is no file {source}") from None
        except OverflowError:
            raise UsageError(
                f"{source} holds more than {limit:,} bytes", "--limit SIZE allows more"
            ) from None
        except (zstandard.ZstdError, tarfile.TarError, ValueError, EOFError) as error:
            raise UsageError(f"{source} is no run that kzc exported: {error}", _HINT) from error
        yield found


class _Bounded(io.RawIOBase):
    """A stream that gives so many bytes and no more. Raises OverflowError."""

    def __init__(self, source: BinaryIO, limit: int) -> None:
        self._source, self._left = source, limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(min(size, 1 << 20) if size >= 0 else 1 << 20)
        self._left -= len(data)
        if self._left < 0:
            raise OverflowError
        return data


def _read(source: _Bounded, blobs: Blobs) -> Unpacked:
    with tarfile.open(fileobj=source, mode="r|") as tar:
        members = iter(tar)
        first = next(members, None)
        if first is None or first.name != _ABOUT or not first.isreg():
            raise ValueError(f"it does not begin with {_ABOUT}")
        about = _about(_content(tar, first).read())
        run, files = _run(about), _files(about)
        wanted = {each.blob.sha256: each.blob for each in files}
        for number, member in enumerate(members):
            blob = wanted.pop(member.name.removeprefix(_FILES), None)
            if number > _MEMBERS or blob is None or not member.isreg():
                raise ValueError(f"it holds {member.name!r}, which its {_ABOUT} does not name")
            if blobs.add(_content(tar, member)) != blob:
                raise ValueError(f"the content of {member.name} is another")
    if wanted:
        raise ValueError(f"it ends before {_FILES}{next(iter(wanted))}")
    return Unpacked(run, files, blobs)


def _about(data: bytes) -> _About:
    try:
        about = _About.model_validate(json.loads(data, parse_constant=_no_number))
    except (ValidationError, RecursionError) as error:
        raise ValueError(_first(error)) from error
    if about.form != FORM:
        raise ValueError(f"its form is {about.form}, this kzc knows {FORM}")
    return about


def _run(about: _About) -> Run:
    from kzc.results.store import ID

    try:
        run = TypeAdapter(Run).validate_python(about.run)
    except (ValidationError, RecursionError) as error:
        raise ValueError(_first(error)) from error
    if not ID.fullmatch(run.id):
        raise ValueError(f"{run.id!r} is no run's name")
    for outcome in run.outcomes:
        for log in (outcome.log, *(case.detail.get("log") for case in outcome.cases)):
            if log and not inside(str(log)):
                raise ValueError(f"{log!r} leaves the folder of the run")
    return run


def _files(about: _About) -> tuple[Kept, ...]:
    names = [each.path for each in about.files]
    for each in about.files:
        if not inside(each.path):
            raise ValueError(f"{each.path!r} leaves the folder of the run")
        if not HASH.fullmatch(each.sha256) or each.size < 0:
            raise ValueError(f"{each.path!r} has no content")
    folders = {str(above) for name in names for above in PurePosixPath(name).parents}
    if len(names) > _MEMBERS or len(set(names)) < len(names) or folders & set(names):
        raise ValueError("its files are too many, or in each other's way")
    return tuple(Kept(each.path, Blob(each.sha256, each.size)) for each in about.files)


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    found = tar.extractfile(member)
    if found is None:
        raise ValueError(f"{member.name} is no file")
    return cast(BinaryIO, found)


def _member(name: str, size: int) -> tarfile.TarInfo:
    found = tarfile.TarInfo(name)
    found.size = size
    return found


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        problem = error.errors()[0]
        return f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
    return "it is nested too deeply"
