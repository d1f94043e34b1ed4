# SPDX-License-Identifier: GPL-2.0-only
"""Instruction time on a real kernel: two boots say the same of the same cells, within 0.5 %.

What else this machine does meanwhile must not matter: nothing here waits for a quiet moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from kzc.bench.values import Cell, Clock, Mode, Round
from kzc.bench.zcbench import Amount, Turn
from kzc.cli.job import understand
from kzc.cli.mainjob import opened, plan_for
from kzc.cli.options import Asked
from kzc.jobs import kernels
from kzc.jobs.bench_guest import Boot, Kernel, Terms
from kzc.jobs.bench_measure import bench_suite, make_kernel, measure
from kzc.jobs.workshop import Workshop
from tests.vm.conftest import SERIES, TREE

pytestmark = pytest.mark.vm

COPY = Cell("udp", 4, "loopback", Mode.COPY, 4096)
ZEROCOPY = Cell("vsock", 0, "loopback", Mode.ERRQUEUE, 32768)
ROUNDS = 5
TURNS = tuple(Turn(cell, number) for number in range(1, ROUNDS + 1) for cell in (COPY, ZEROCOPY))
TERMS = Terms(Clock.INSTRUCTIONS, Amount(bytes=2 << 20))


@pytest.fixture
def shopfloor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workshop, Kernel]]:
    monkeypatch.setenv("KZC_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    job = understand(Asked(series=SERIES, tree=TREE, suites=("zcbench",), accel="tcg"))
    with opened(job, {}, quiet=True) as shop:
        source = kernels.source_of(shop, job.tree, job.series, job.present)
        assert source is not None
        kernel = make_kernel(shop, source, job.wanted, "own", bench_suite())
        assert kernel is not None
        yield shop, kernel
        shop.run.finish()


def test_two_boots_say_the_same(shopfloor: tuple[Workshop, Kernel], built: str) -> None:
    shop, kernel = shopfloor
    job = understand(Asked(series=SERIES, tree=TREE, suites=("zcbench",), accel="tcg"))
    plan, _ = plan_for(job)
    found: list[Round] = []
    for number in (1, 2):
        boot = Boot(kernel, number, TURNS)
        with closing(measure(shop, plan, boot, TERMS)) as rounds:
            found += rounds
    assert len(found) == 2 * len(TURNS)
    for cell in (COPY, ZEROCOPY):
        first, second = (
            median(_cost(each) for each in found if (each.cell, each.boot) == (cell, number))
            for number in (1, 2)
        )
        assert abs(first - second) / first < 0.005, (cell, first, second)
    for each in found:
        assert each.sender is not None
        assert each.receiver is not None
        assert each.receiver.bytes == each.sender.bytes == 2 << 20
        assert each.sender.copied == 0
        completed = each.sender.messages if each.cell == ZEROCOPY else 0
        assert each.sender.zerocopied == completed


def _cost(found: Round) -> int:
    assert found.sender is not None, found.reason
    return found.sender.whole - found.idle
