# SPDX-License-Identifier: GPL-2.0-only
"""What a worker does: run one job as this machine would, and carry kernels to where they lack.

These functions run in processes of the cluster, with the settings of the user who started those.
They know nothing of the cluster.
"""

from __future__ import annotations

import io
import json
import platform
import select
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from kzc.jobs.ci.attempt import Going, Ground, going
from kzc.jobs.ci.values import Attempt, Job
from kzc.proc import LocalRunner
from kzc.settings import load_settings
from kzc.values import Run, Stage

_POLL = 0.5  # seconds in which a wish to stop is noticed


@dataclass(frozen=True)
class Parcel:
    """What a job takes along: the CI run, the trees that its machine knows (by name, as the list
    of trees keeps them), the words for kzc, the folder of kzc.toml, and its kernel's key."""

    run: str
    trees: Mapping[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (sys.executable, "-m", "kzc")
    cwd: str = ""
    kernel: str = ""


@dataclass(frozen=True)
class Left:
    """What a job left, its logs as a tar, and the key of the kernel that it built. Nothing had
    begun where there is no attempt."""

    attempt: Attempt | None
    logs: bytes = b""
    kernel: str = ""


@dataclass(frozen=True)
class Missing:
    """The job's kernel is not here."""

    kernel: str


def trees(data: Path) -> dict[str, str]:
    """The list of trees of a machine, for others."""
    return {file.stem: file.read_text() for file in (data / "trees").glob("[!.]*.json")}


def perform(job: Job, parcel: Parcel, packed: bytes | None) -> Left | Missing:
    """Run a job to its end, or until `stop`. `packed` is its kernel, for where it is not."""
    if _stop(parcel.run).exists():
        return Left(None)
    with tempfile.TemporaryDirectory(prefix="kzc-ci-") as scratch:
        cwd = Path(parcel.cwd) if parcel.cwd and Path(parcel.cwd).is_dir() else Path(scratch)
        settings = load_settings({}, cwd)
        if parcel.kernel and not kernel_folder(settings.cache, parcel.kernel).is_dir():
            if packed is None:
                return Missing(parcel.kernel)
            unpack_kernel(packed, settings.cache, parcel.kernel)
        _know(parcel.trees, settings.data)
        folder = Path(scratch) / "go"
        ground = Ground(LocalRunner(), settings.data, cwd, _here(parcel.program))
        with going(ground, job, folder) as child:
            attempt = _waited(child, parcel.run)
        where = f"{platform.node()}"
        return Left(replace(attempt, where=where), pack(folder), _built(attempt.run))


def stop(run: str) -> None:
    """End all jobs of a CI run on this machine, and begin no more."""
    _stop(run).touch()


def forget(run: str) -> None:
    """Nothing of the CI run is left here."""
    _stop(run).unlink(missing_ok=True)


def pack_kernel(key: str) -> bytes:
    """A kernel of this machine's cache as a tar. Raises FileNotFoundError where it is gone."""
    return pack(kernel_folder(load_settings({}, Path.cwd()).cache, key))


def unpack_kernel(packed: bytes, cache: Path, key: str) -> None:
    """Put a kernel into the cache, whole or not at all; one that is there stays."""
    store = kernel_folder(cache, key).parent
    store.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=store, prefix=".part-") as part:
        unpack(packed, Path(part) / key)
        note = Path(part) / key / "kernel.json"
        told = json.loads(note.read_text())
        image = Path(told["image"]).name
        here = store / key
        note.write_text(json.dumps({**told, "folder": str(here), "image": str(here / image)}))
        with suppress(OSError):  # another one was quicker
            (Path(part) / key).rename(here)


def kernel_folder(cache: Path, key: str) -> Path:
    """Where a kernel is kept. Raises ValueError for what is no key."""
    if not key.isalnum():
        raise ValueError(f"{key!r} names no kernel")
    return cache / "kernels" / key


def pack(folder: Path) -> bytes:
    """What is in a folder, as a compressed tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz", compresslevel=1) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return buffer.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Put what was packed into a folder, which is made. Nothing gets out of it."""
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as tar:
        tar.extractall(folder, filter="data")


def _waited(child: Going, run: str) -> Attempt:
    while not select.select([child.ended], [], [], _POLL)[0]:
        if _stop(run).exists():
            return child.stop()
    return child.finished()


def _built(run: Run | None) -> str:
    for outcome in run.outcomes if run else ():
        if outcome.stage is Stage.BUILD and isinstance(outcome.detail.get("key"), str):
            return str(outcome.detail["key"])
    return ""


def _know(known: Mapping[str, str], data: Path) -> None:
    """Trees that this machine has no name for; kzc gets them from their source where need be."""
    folder = data / "trees"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in known.items():
        with suppress(FileExistsError), (folder / f"{name}.json").open("x") as file:
            file.write(text)


def _here(program: tuple[str, ...]) -> tuple[str, ...]:
    """The same words where Python is at another place."""
    first, *rest = program
    return (first if shutil.which(first) else sys.executable, *rest)


def _stop(run: str) -> Path:
    return Path(tempfile.gettempdir()) / f"kzc-ci-{run}.stop"
