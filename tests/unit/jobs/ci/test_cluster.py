# SPDX-License-Identifier: GPL-2.0-only
"""Jobs on a real dask cluster of worker processes, each with a cache of its own; one is killed.

The jobs are small commands. Packing and unpacking need no cluster.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import tarfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kzc.errors import HostError
from kzc.jobs.ci import remote
from kzc.jobs.ci.attempt import Ground
from kzc.jobs.ci.book import Book
from kzc.jobs.ci.cluster import connected
from kzc.jobs.ci.drive import Drive, Rules
from kzc.jobs.ci.durations import Durations
from kzc.jobs.ci.values import Job, Wants
from kzc.jobs.workshop import Workshop
from kzc.results.store import Store
from kzc.results.verdicts import exit_code
from kzc.settings import Settings
from kzc.values import Run
from tests.plain import RUNNER
from tests.unit.jobs.ci.samples import build, run
from tests.unit.jobs.floor import Recorder

ACTOR = Path(__file__).with_name("actor.py")
A, KERNEL = build("a"), build("kernel")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Three workers; the first says that it has a vhost-vsock."""
    from distributed import Nanny, Scheduler, SpecCluster

    folder = tmp_path_factory.mktemp("cluster")

    def worker(number: int) -> dict[str, Any]:
        env = {
            f"KZC_{name.upper()}": str(folder / f"{name}-{number}") for name in ("cache", "data")
        }
        resources = {"CPU": 1, **({"vhost-vsock": 1} if number == 0 else {})}
        options = {"nthreads": 2, "env": env, "resources": resources, "dashboard_address": None}
        options |= {"local_directory": str(folder / f"dask-{number}")}
        return {"cls": Nanny, "options": options}

    scheduler = {"cls": Scheduler, "options": {"dashboard": False, "host": "127.0.0.1", "port": 0}}
    workers = {n: worker(n) for n in range(3)}
    with SpecCluster(workers=workers, scheduler=scheduler) as made:  # type: ignore[no-untyped-call]
        yield made


def worked(
    folder: Path, cluster: Any, jobs: Sequence[Job], rules: Rules, out: dict[str, Any]
) -> Run:
    settings = Settings(cache=folder / "cache", data=folder / "data", jobs=2)
    ground = Ground(RUNNER, settings.data, folder, (sys.executable, "-IS", str(ACTOR)))
    folder.mkdir(exist_ok=True)
    with Store(settings.data).create(("kzc", "ci"), {}, "0") as opened:
        shopfloor = Workshop(settings, RUNNER, Recorder(), opened)
        with (
            connected(cluster.scheduler_address, ground, opened.logs, opened.run.id) as executor,
            closing(Book(shopfloor, len(jobs), Durations(settings.data))) as book,
        ):
            Drive(jobs, executor, book, time.monotonic, rules).run()
        out["logs"] = opened.logs
        return opened.finish()


@pytest.mark.full
def test_jobs_run_where_their_resources_are_and_their_kernels_follow(
    tmp_path: Path, cluster: Any
) -> None:
    here = replace(run(KERNEL, "kernel"), wants=Wants(devices=("vhost-vsock",)))
    many = [replace(run(KERNEL, "kernel"), name=f"t/kernel/{n}") for n in range(6)]
    nowhere = replace(run(A, "good"), wants=Wants(devices=("kvm",)))
    out: dict[str, Any] = {}
    found = worked(tmp_path, cluster, (KERNEL, A, here, *many, nowhere), Rules(), out)
    verdicts = {each.subject: each.verdict.value for each in found.outcomes}
    assert verdicts.pop("t/a/loopback/good") == "not_run"
    assert set(verdicts.values()) == {"pass"}
    (said,) = [each for each in found.outcomes if each.subject == "t/a/loopback/good"]
    assert said.reason == "no worker of the cluster declares kvm"
    assert (out["logs"] / "t-kernel-loopback-kernel" / "deep" / "console.log").is_file()


@pytest.mark.full
def test_the_jobs_of_a_killed_worker_go_elsewhere(tmp_path: Path, cluster: Any) -> None:
    killed: list[int] = []

    def kill() -> None:
        mark = tmp_path / "stuck"
        while not mark.exists() or not mark.read_text():
            time.sleep(0.05)
        job = int(mark.read_text())
        killed.append(job)
        # job, its guard, the worker
        for _ in range(2):
            job = int(Path(f"/proc/{job}/stat").read_text().rpartition(")")[2].split()[1])
        os.kill(job, signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    found = worked(tmp_path, cluster, (A, run(A, "stuck"), run(A, "good")), Rules(retries=0), {})
    killer.join()
    assert exit_code(found) == 0, found.outcomes
    assert {each.subject for each in found.outcomes} >= {"t/a/loopback/stuck"}
    assert not Path(f"/proc/{killed[0]}").exists()


@pytest.mark.full
def test_when_the_time_is_over_the_workers_end_their_jobs(tmp_path: Path, cluster: Any) -> None:
    jobs = (A, *(replace(run(A, "hangs"), name=f"t/a/{n}") for n in range(8)))
    began = time.monotonic()
    found = worked(tmp_path, cluster, jobs, Rules(budget=8.0), {})
    assert time.monotonic() - began < 60
    reasons = [each.reason for each in found.outcomes if each.verdict.value == "not_run"]
    assert len(reasons) == 8
    assert any("while it ran" in reason for reason in reasons)
    assert exit_code(found) == 1


@pytest.mark.full
def test_no_scheduler_is_said(tmp_path: Path) -> None:
    with (
        pytest.raises(HostError, match="no dask scheduler answers"),
        connected("nonsense", Ground(RUNNER, tmp_path, tmp_path), tmp_path, "1"),
    ):
        pass


def test_a_kernel_is_put_into_another_cache_as_that_caches_own(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel"
    kernel.mkdir()
    (kernel / "bzImage").write_bytes(b"an image")
    (kernel / "kernel.json").write_text('{"folder": "/x/k", "image": "/x/k/bzImage", "key": "k1"}')
    packed = remote.pack(kernel)
    for _ in range(2):
        remote.unpack_kernel(packed, tmp_path / "cache", "k1")
    here = tmp_path / "cache" / "kernels" / "k1"
    assert json.loads((here / "kernel.json").read_text()) == {
        "folder": str(here),
        "image": str(here / "bzImage"),
        "key": "k1",
    }
    assert (here / "bzImage").read_bytes() == b"an image"
    assert [path.name for path in here.parent.iterdir()] == ["k1"]


@pytest.mark.parametrize("key", ["", "../x", "a/b", "."])
def test_a_key_is_no_path(tmp_path: Path, key: str) -> None:
    with pytest.raises(ValueError, match="names no kernel"):
        remote.kernel_folder(tmp_path, key)


def test_nothing_that_is_unpacked_gets_out_of_its_folder(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        tar.addfile(tarfile.TarInfo("../out"), io.BytesIO())
    with pytest.raises(tarfile.TarError):
        remote.unpack(buffer.getvalue(), tmp_path / "in")
    assert not (tmp_path / "out").exists()
