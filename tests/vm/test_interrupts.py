# SPDX-License-Identifier: GPL-2.0-only
"""Ctrl-C and SIGKILL in each stage: nothing goes on running, and the same command works after."""

import secrets
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.vm.conftest import SERIES, TREE, Kzc, interrupt_when

pytestmark = pytest.mark.vm

WAITS = Path(__file__).parents[1] / "data" / "waits"
COMMAND = ("run", SERIES, "--tree", TREE, "--suite", str(WAITS))


def log_has(kzc: Kzc, pattern: str, text: str) -> Callable[[], bool]:
    def seen() -> bool:
        return any(text in path.read_text(errors="replace") for path in kzc.data.glob(pattern))

    return seen


def running(kzc: Kzc, *words: str) -> Callable[[], bool]:
    def seen() -> bool:
        return any(all(word in line for word in words) for line in kzc.left())

    return seen


STAGES: dict[str, Callable[[Kzc], Callable[[], bool]]] = {
    "boot": lambda kzc: running(kzc, "qemu-system", "kzc-control"),
    "test": lambda kzc: log_has(kzc, "runs/*/logs/test-waits/console.log", "kzc: begin waits"),
}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
@pytest.mark.parametrize("stage", STAGES)
def test_a_guest_goes_down_with_kzc(
    kzc: Kzc, built: str, stage: str, number: signal.Signals
) -> None:
    process = kzc.start(*COMMAND)
    interrupt_when(process, STAGES[stage](kzc), number)
    out, err = process.communicate()
    assert process.returncode == (130 if number is signal.SIGINT else -signal.SIGKILL)
    assert "Traceback" not in out + err
    assert kzc.nothing_left(), kzc.left()
    assert kzc(*COMMAND).code == 0


@pytest.mark.xdist_group("slot")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_applying_and_building_can_be_cut_and_done_again(
    kzc: Kzc, built: str, tmp_path: Path, number: signal.Signals
) -> None:
    patches = tmp_path / "own"
    patches.mkdir()
    source = Path(__file__).parents[1] / "data" / "faults" / "comment"
    for path in source.glob("*.patch"):
        text = path.read_text().replace("SERIAL", secrets.token_hex(8))
        (patches / path.name).write_text(text)
    command = ("build", str(patches), "--tree", TREE)
    process = kzc.start(*command)
    interrupt_when(process, running(kzc, "git", "am"), number)
    process.communicate()
    assert kzc.nothing_left(), kzc.left()
    process = kzc.start(*command)
    interrupt_when(process, running(kzc, "cc1"), number)
    process.communicate()
    assert kzc.nothing_left(), kzc.left()
    done = kzc(*command)
    assert done.code == 0, done.said
    # nobody will ask for this kernel again
    shutil.rmtree(Path(done.out.splitlines()[-1]).parent)
