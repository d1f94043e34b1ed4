# SPDX-License-Identifier: GPL-2.0-only
"""`kzc doctor` and `kzc clean`: this machine and what kzc keeps on it."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from kzc.cli.doctor import run_doctor
from kzc.proc import LocalRunner
from kzc.settings import load_settings
from kzc.trees import cleaning


def doctor(as_json: bool) -> int:
    """The table of needs."""
    settings = load_settings({}, Path.cwd())
    return run_doctor(settings, LocalRunner(), as_json, Console())


def clean(everything: bool, days: int) -> int:
    """Remove what is old from the cache."""
    settings = load_settings({}, Path.cwd())
    removed = cleaning.clean(settings, older_than_days=days, everything=everything)
    for entry in removed:
        print(f"{entry.size / 2**20:8.0f} MiB  {entry.path}")
    print(f"{sum(entry.size for entry in removed) / 2**20:8.0f} MiB freed")
    return 0
