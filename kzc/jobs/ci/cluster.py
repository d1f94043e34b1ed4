# SPDX-License-Identifier: GPL-2.0-only
"""Jobs on the workers of a dask cluster, which start where the resources that they declare allow.

A worker is `dask worker ADDRESS --resources "CPU=4 MEMORY=16e9 kvm=1 vhost-vsock=1"` with kzc
beside it. CPU and MEMORY (bytes) are asked for where any worker declares them; a device has to be
declared. A job whose worker is killed goes to another one, as often as the scheduler allows
(`distributed.scheduler.allowed-failures`).

Kernels travel by their key: a test that lands where its kernel is not says so at once, and goes
again with what the worker that built it has packed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from kzc.errors import HostError, UsageError, pip_install
from kzc.jobs.ci import remote
from kzc.jobs.ci.attempt import Ground
from kzc.jobs.ci.executor import Go
from kzc.jobs.ci.local import slug
from kzc.jobs.ci.remote import Left, Missing, Parcel
from kzc.jobs.ci.values import Attempt, Job, Kind

_MIB = 1 << 20
_PATIENCE = 30.0  # seconds for workers to end their jobs
_ALIVE = ("running", "newly-created", "connecting")


@dataclass
class _Built:
    """A kernel, the worker that has it, and the future of its bytes once it is packed."""

    key: str
    worker: str
    packed: Any = None


@dataclass(frozen=True)
class _Sent:
    """A go on its way; `carried` says that its kernel goes along."""

    go: Go
    carried: bool = False


class ClusterExecutor:
    """Jobs through a dask client; their logs come back to `logs`."""

    def __init__(self, client: Any, parcel: Parcel, logs: Path) -> None:
        self._client = client
        self._parcel = parcel
        self._logs = logs
        self._sent: dict[str, tuple[Any, _Sent]] = {}
        self._done: SimpleQueue[Any] = SimpleQueue()
        self._urgency = 0
        self._built: dict[str, _Built] = {}
        self._declared = _declared(client)

    def refuses(self, job: Job) -> str:
        lacking = [name for name in job.wants.devices if name not in self._declared]
        return f"no worker of the cluster declares {lacking[0]}" if lacking else ""

    def fits(self, job: Job) -> bool:
        return True  # the scheduler keeps what has to wait

    def start(self, go: Go) -> None:
        self._submit(_Sent(go))

    def ended(self, timeout: float) -> list[tuple[Go, Attempt]]:
        if self._client.status not in _ALIVE:
            raise HostError("the connection to the dask scheduler is lost")
        found = []
        for future in self._finished(timeout):
            _, sent = self._sent.pop(future.key, (None, None))
            answer = self._answer(future, sent) if sent else None
            if answer is not None and sent:
                found.append((sent.go, answer))
        return found

    def stop(self) -> list[tuple[Go, Attempt]]:
        """What has not begun is taken back; what runs is told to end."""
        found: list[tuple[Go, Attempt]] = []
        with suppress(OSError, HostError, TimeoutError):
            self._client.run(remote.stop, self._parcel.run)
            begun = {key for keys in self._client.processing().values() for key in keys}
            waiting = [key for key in self._sent if key not in begun]
            self._client.cancel([self._sent.pop(key)[0] for key in waiting])
            deadline = time.monotonic() + _PATIENCE
            while self._sent and (left := deadline - time.monotonic()) > 0:
                found += self.ended(left)
            self._client.run(remote.forget, self._parcel.run)
        return found

    def _submit(self, sent: _Sent, kernel: Any = None) -> None:
        job = sent.go.job
        built = self._built.get(job.needs[0]) if job.needs else None
        parcel = replace(self._parcel, kernel=built.key if built else "")
        self._urgency -= 1  # earlier ones are more urgent
        future = self._client.submit(
            remote.perform,
            job,
            parcel,
            kernel,
            key=f"kzc-{parcel.run}-{slug(sent.go)}-{-self._urgency}",
            resources=self._resources(job),
            priority=self._urgency,
            pure=False,
        )
        self._sent[future.key] = (future, sent)
        future.add_done_callback(self._done.put)

    def _answer(self, future: Any, sent: _Sent) -> Attempt | None:
        """What a job left; None where it has not run, and goes again."""
        go = sent.go
        if future.status != "finished":
            if sent.carried and not _killed(future):
                # its kernel did not come through: it is built again there
                self._built.pop(go.job.needs[0], None)
                self._submit(_Sent(go))
                return None
            return Attempt(None, lost=_why(future))
        left: Left | Missing = future.result()
        if isinstance(left, Missing):
            self._carry(go)
            return None
        if left.attempt is None:
            return None
        if go.job.kind is Kind.BUILD and left.kernel:
            workers = self._client.who_has([future]).get(future.key, ())
            self._built[go.job.name] = _Built(left.kernel, next(iter(workers), ""))
        remote.unpack(left.logs, self._logs / slug(go))
        return left.attempt

    def _carry(self, go: Go) -> None:
        built = self._built[go.job.needs[0]]
        if built.packed is None or built.packed.status not in ("pending", "finished"):
            where = [built.worker] if built.worker else None
            built.packed = self._client.submit(
                remote.pack_kernel, built.key, workers=where, pure=False
            )
        self._submit(_Sent(go, carried=True), built.packed)

    def _finished(self, timeout: float) -> Iterator[Any]:
        """Futures that are done; waits for the first."""
        with suppress(Empty):
            yield self._done.get(timeout=max(timeout, 0.0))
            while True:
                yield self._done.get_nowait()

    def _resources(self, job: Job) -> dict[str, float]:
        """What is asked of a worker; of CPUs and memory no more than the largest has."""
        declared = self._declared
        wants = {"CPU": float(job.wants.cpus), "MEMORY": float(job.wants.memory * _MIB)}
        wants = {
            name: min(amount, declared[name]) for name, amount in wants.items() if name in declared
        }
        # many may use a device at once
        return {**wants, **dict.fromkeys(job.wants.devices, 0.001)}


def _declared(client: Any) -> Mapping[str, float]:
    """The most that any worker has of each resource."""
    found: dict[str, float] = {}
    for worker in client.scheduler_info(n_workers=-1)["workers"].values():
        for name, amount in worker.get("resources", {}).items():
            found[name] = max(found.get(name, 0.0), amount)
    return found


@contextmanager
def connected(address: str, ground: Ground, logs: Path, run: str) -> Iterator[ClusterExecutor]:
    """The cluster at an address. Raises UsageError without dask, HostError where none answers."""
    try:
        from distributed import Client
    except ImportError:
        raise UsageError("--scheduler needs dask", pip_install("distributed")) from None
    try:
        client: Any = Client(address, timeout=10, set_as_default=False)  # type: ignore[no-untyped-call]
    except (OSError, TimeoutError, ValueError) as error:
        raise HostError(
            f"no dask scheduler answers at {address}: {error}", "start one: `dask scheduler`"
        ) from None
    try:
        if not client.scheduler_info(n_workers=-1)["workers"]:
            raise HostError(
                f"the cluster at {address} has no worker", f"start one: `dask worker {address}`"
            )
        parcel = Parcel(run, remote.trees(ground.data), ground.program, str(ground.cwd))
        yield ClusterExecutor(client, parcel, logs)
    finally:
        client.close()


def _killed(future: Any) -> bool:
    return future.status == "error" and type(future.exception()).__name__ == "KilledWorker"


def _why(future: Any) -> str:
    if _killed(future):
        return "the workers that ran it were killed, one after the other"
    error = future.exception() if future.status == "error" else None
    return f"the cluster lost it: {future.status if error is None else error}"
