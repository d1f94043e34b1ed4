# SPDX-License-Identifier: GPL-2.0-only
"""What a report costs: `python bench/reports.py`.

CPU seconds and bytes of every format, of 10,000 cases: with plain text, with text full of markup
and escapes, and with a log of 100 MB behind the failures. Holds: the HTML file of the plain ones,
with and without the log, takes at most 3 s and 5 MB, and no HTML file is larger than that.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from machine import keep

from kzc.results.formats import EXPORTS, FORMATS, html
from kzc.results.logs import in_folder
from kzc.values import Case, Outcome, Run, Stage, Verdict

SUITES, CASES, LOG = 10, 1000, 100 << 20
_VERDICTS = (Verdict.PASS, Verdict.PASS, Verdict.FAIL, Verdict.SKIP)


def run_of(text: str, log: str) -> Run:
    """A run of 10,000 cases, a quarter of which failed, that all say `text`."""
    cases = tuple(
        Case(f"{text} {n}", _VERDICTS[n % 4], 0.1, f"{text} {n}", {"said": text, "n": n})
        for n in range(CASES)
    )
    suites = (Outcome(Stage.TEST, f"suite{n}", Verdict.FAIL, 9, log, cases) for n in range(SUITES))
    return Run(
        "20261121-093015-3fa2", "2026-11-21T09:30:15Z", ("kzc", "run"), "0", {}, tuple(suites)
    )


def main() -> int:
    """Render each and print what it took."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "logs").mkdir()
        line = b"<b>SOCK_STREAM \x1b[31m" + b"x" * 60 + b"\n"
        (folder / "logs" / "huge.log").write_bytes(line * (LOG // len(line)))
        plain = run_of("SOCK_STREAM connection reset", "")
        runs = {
            "plain": plain,
            "hostile": run_of('<script>"&\x1b\u202e' * 20, ""),
            "100 MB log": replace(plain, outcomes=run_of("SOCK_STREAM", "logs/huge.log").outcomes),
        }
        forms: dict[str, Callable[[Run], str]] = {"html": lambda run: html(run, in_folder(folder))}
        for key, form in {**FORMATS, **EXPORTS}.items():
            if key != "svg":
                forms[key] = lambda run, form=form: form(run, folder)  # type: ignore[misc]
        found = {
            kind: {key: _took(form, run) for key, form in forms.items()}
            for kind, run in runs.items()
        }
    limits = {"seconds": 3, "bytes": 5_000_000}
    keep("reports", {"seconds and bytes": found, "limits": limits})
    pages = {kind: each["html"] for kind, each in found.items()}
    slow = [kind for kind, (seconds, _) in pages.items() if seconds > 3 and kind != "hostile"]
    large = [kind for kind, (_, size) in pages.items() if size > limits["bytes"]]
    return 1 if slow or large else 0


def _took(form: Callable[[Run], str], run: Run) -> tuple[float, int]:
    begin = time.process_time()
    size = len(form(run).encode())
    return round(time.process_time() - begin, 2), size


if __name__ == "__main__":
    sys.exit(main())
