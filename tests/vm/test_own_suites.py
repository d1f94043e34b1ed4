# SPDX-License-Identifier: GPL-2.0-only
"""kzc's own guest tests: what they say of good kernels, and that they see a bad one.

The bad one is the series' with a patch more, which gets MSG_ZEROCOPY wrong when its command line
says so (tests/data/faults/zerocopy).
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pytest

from kzc.shared import shared_folder
from tests.vm.conftest import FAULTS, SERIES, TRANSPORTS, TREE, Kzc

OURS = ("zc_fuzz", "zc_notify", "zc_lifetime")
# skbuff.zerocopy=N, a suite that sees it, its cases that fail, what one of them says
WRONG = {
    "drop": (1, "zc_fuzz", {"fuzz/tcp4", "fuzz/udp6"}, "has to be next"),
    "double": (2, "zc_fuzz", {"fuzz/tcp4", "fuzz/udp6"}, "has to be next"),
    "lie": (3, "zc_lifetime", {"change-after-completion/udp4"}, "completed without a copy"),
    "early": (4, "zc_lifetime", {"change-after-completion/udp4"}, "after the completion was rec"),
    "leak": (5, "zc_lifetime", {"munmap/tcp4", "munmap/udp6"}, "pages of the buffer are still"),
    "unlock": (6, "zc_lifetime", {"memlock-balance/tcp4"}, "locked pages of a send before"),
}


def suite_of(kzc: Kzc, name: str) -> dict[str, Any]:
    found: list[dict[str, Any]] = [
        o for o in kzc.report()["outcomes"] if o["stage"] == "test" and o["subject"] == name
    ]
    assert len(found) == 1
    return found[0]


def words(*suites: str) -> list[str]:
    return [word for name in suites for word in ("--suite", name)]


def only(folder: Path, suite: str, cases: Collection[str]) -> str:
    """The suite with these cases alone: whatever goes wrong, each of the others would wait for."""
    copy = shutil.copytree(shared_folder("selftests") / suite, folder / suite)
    manifest = copy / "suite.toml"
    text = manifest.read_text().replace('"$@"', " ".join(cases))
    text = text.replace(f'list = "./{suite} --list"', f"planned = {sorted(cases)}")
    manifest.write_text(text)
    return str(copy)


def verdicts(outcome: dict[str, Any]) -> Counter[str]:
    return Counter(case["verdict"] for case in outcome["cases"])


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A series: the carried one and the patch that gets it wrong."""
    folder = tmp_path_factory.mktemp("broken")
    carried = sorted((shared_folder("patches") / SERIES / "6.12").glob("*.patch"))
    last, total = len(carried), len(carried) + 1
    for patch in carried:
        text = patch.read_bytes().replace(b"/%d] " % last, b"/%d] " % total, 1)
        (folder / patch.name).write_bytes(text)
    (patch,) = (FAULTS / "zerocopy").glob("*.patch")
    text = patch.read_bytes().replace(b"[PATCH] ", b"[PATCH %d/%d] " % (total, total), 1)
    (folder / f"{total:04}.patch").write_bytes(text)
    return folder


@pytest.mark.vm
def test_random_steps_on_the_series(kzc: Kzc, built: str) -> None:
    """zc_notify on this kernel is part of the main job's test."""
    done = kzc("run", SERIES, "--tree", TREE, *words("zc_fuzz"), "--append", "kzc.seed=1")
    assert done.code == 0, done.said
    fuzz = suite_of(kzc, "zc_fuzz")
    assert verdicts(fuzz) == {"pass": 8}
    log = kzc.data / "runs" / kzc.report()["id"] / fuzz["log"]
    assert "# seed 1, 3000 steps" in log.read_text()


@pytest.mark.full
def test_lifetime(kzc: Kzc, built: str) -> None:
    done = kzc("run", SERIES, "--tree", TREE, *words("zc_lifetime"))
    assert done.code == 0, done.said
    assert verdicts(suite_of(kzc, "zc_lifetime"))["pass"] > 100


@pytest.mark.full
def test_a_tree_without_the_series(kzc: Kzc) -> None:
    done = kzc("test", *OURS, "--tree", TREE)
    assert done.code == 0, done.said
    skipped = [case for case in suite_of(kzc, "zc_notify")["cases"] if case["verdict"] == "skip"]
    assert len(skipped) > 90
    assert {case["reason"] for case in skipped} == {"this kernel has no SCM_ZC_NOTIFICATION"}
    assert verdicts(suite_of(kzc, "zc_fuzz")) == {"pass": 8}


@pytest.mark.full
def test_with_the_kernels_own_checkers(kzc: Kzc) -> None:
    done = kzc("run", SERIES, "--tree", TREE, "--profile", "debug", *words(*OURS))
    assert done.code == 0, done.said
    assert not any(outcome["detail"].get("findings") for outcome in kzc.report()["outcomes"])


@pytest.mark.full
@pytest.mark.parametrize("wrong", WRONG)
def test_what_goes_wrong_is_seen(kzc: Kzc, broken: Path, tmp_path: Path, wrong: str) -> None:
    number, suite, cases, said = WRONG[wrong]
    done = kzc(
        *("run", str(broken), "--tree", TREE, "--suite", only(tmp_path, suite, cases)),
        *("--append", f"skbuff.zerocopy={number}"),
    )
    assert done.code == 1, done.said
    found = {case["name"]: case for case in suite_of(kzc, suite)["cases"]}
    assert {name for name, case in found.items() if case["verdict"] == "fail"} == cases
    assert all(said in found[name]["reason"] for name in cases)


@pytest.mark.full
def test_ids_wrap(kzc: Kzc, broken: Path, tmp_path: Path) -> None:
    wrap = [f"wrap/{name}" for name in TRANSPORTS]
    done = kzc(
        *("run", str(broken), "--tree", TREE, "--suite", only(tmp_path, "zc_notify", wrap)),
        *("--append", "skbuff.zerocopy=7"),
    )
    found = {case["name"]: case["verdict"] for case in suite_of(kzc, "zc_notify")["cases"]}
    assert found == dict.fromkeys(wrap, "pass"), done.said
