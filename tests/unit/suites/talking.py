# SPDX-License-Identifier: GPL-2.0-only
"""Two ends whose programs talk over the control socket as vsock_test does, and suites for them.

Both ends are shells on this machine.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from kzc.shared import shared_folder
from kzc.suites.kernel_log import load_rules
from kzc.suites.manifest import Direction, Suite, load_suite
from kzc.suites.pair import Pair
from kzc.suites.pair_runner import run_pairs
from kzc.suites.runner import Setting
from kzc.values import Outcome, Verdict
from tests.unit.suites.ends import ShellEnd

Ends = tuple[Pair, ShellEnd, ShellEnd]
TALKER = Path(__file__).parents[2] / "data" / "suites" / "talker.py"
# a tenth of the time for everything: what hangs here is local
SETTING = Setting("", 0.1, {}, load_rules(shared_folder("selftests") / "kernel-log.toml"))
VSOCK = load_suite(shared_folder("selftests") / "vsock")
OOPS = "BUG: kernel NULL pointer dereference, address: 0000000000000008"


def suite(directions: Sequence[str] = ("H2G", "G2H"), **more: object) -> Suite:
    """vsock_test as the project's own manifest runs it, in one or both directions."""
    more["directions"] = tuple(Direction(name) for name in directions)
    entry = next(pair for pair in VSOCK.pairs if pair.name == "vsock_test")
    return VSOCK.model_copy(update={"pairs": (entry.model_copy(update=more),), "total": 100})


def scripts(server: str, client: str, **more: object) -> Suite:
    """A suite of two shell texts."""
    entry = {"name": "x", "server": server, "client": client, "parser": "exit", "planned": ["x"]}
    return Suite.model_validate(
        {"name": "s", "title": "t", "guest": "mini", "pairs": [{**entry, **more}]}
    )


def talker(end: ShellEnd, titles: Sequence[str], **do: str) -> None:
    """Give an end its vsock_test; `server_2="signal"` is what it does as server in test 2."""
    path = Path(end.folder) / "vsock_test"
    text = TALKER.read_text()
    path.write_text(
        f"#!/bin/sh\nexport KMSG='{end.log}'\n"
        f'exec {sys.executable} -I -S "$(dirname "$0")/talker.py" "$@"\n'
    )
    path.chmod(0o755)
    (Path(end.folder) / "talker.py").write_text(text)
    plan = {"titles": [*titles], "do": {key.replace("_", ":"): deed for key, deed in do.items()}}
    (Path(end.folder) / "talker.plan").write_text(repr(plan))


def run(pair: Pair, asked: Suite) -> Outcome:
    return run_pairs(asked, pair, SETTING)


def verdicts(outcome: Outcome) -> dict[str, Verdict]:
    return {case.name: case.verdict for case in outcome.cases}


def reason(outcome: Outcome, name: str) -> str:
    return next(case.reason for case in outcome.cases if case.name == name)
