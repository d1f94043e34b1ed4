# SPDX-License-Identifier: GPL-2.0-only
"""`qemu-migration [--list] [PATTERN...]`: runs the cases that a shell's pattern fits, prints KTAP;
ends with 1 where a case failed.
`qemu-migration bench`: see bench.py.

KZC_SLOWDOWN says how much longer than under KVM things may take.
"""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Sequence
from fnmatch import fnmatchcase

from qemu_migration import ktap, tools
from qemu_migration.bench import bench
from qemu_migration.cases import CASES, run
from qemu_migration.errors import Failed, Skipped
from qemu_migration.ground import SEED, SIZE
from qemu_migration.network import namespaces
from qemu_migration.pages import filled

_SKIPPED = 4  # KSFT_SKIP


def main(arguments: Sequence[str]) -> int:
    """The exit status."""
    if list(arguments) == ["bench"]:
        for line in bench(sys.stdin):
            _say([line])
        return 0
    patterns = [word for word in arguments if word != "--list"] or ["*"]
    for pattern in patterns:
        if not fnmatch.filter(CASES, pattern):
            print(f"there is no case {pattern}; there are {', '.join(CASES)}", file=sys.stderr)
            return 2
    names = [case for case in CASES if any(fnmatchcase(case, each) for each in patterns)]
    if "--list" in arguments:
        print("\n".join(names))
        return 0
    try:
        tools.require()
        with namespaces():
            return _run(names)
    except Skipped as skipped:
        _say(ktap.skip_all(str(skipped)))
        return _SKIPPED
    except Failed as failed:
        _say(["KTAP version 1", f"Bail out! {failed}"])
        return 1


def _run(names: Sequence[str]) -> int:
    content = filled(SEED, SIZE)
    _say(ktap.head(len(names)))
    bad = 0
    for number, name in enumerate(names, 1):
        result = run(name, content)
        bad |= not result.good
        _say(ktap.lines(number, result))
    return int(bad)


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
