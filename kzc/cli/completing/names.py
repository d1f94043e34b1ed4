# SPDX-License-Identifier: GPL-2.0-only
"""Names that the user may mean: read from folders and small files, starting and loading nothing.

A verb needs no line here: what a parameter is called (`--tree`, SERIES, RUN) says what it takes,
and where a help text begins with the words to choose from, these are taken.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from kzc.cli.completing.walk import Wanted
from kzc.shared import shared_folder

_RUN = re.compile(r"\d{8}-\d{6}-[0-9a-f]{4}")
_NEWEST = 500
# `a, b, c or d` at the beginning, with remarks in parentheses
_CHOICES = re.compile(r"[a-z][\w-]*(?:(?:\s*,\s*(?:or\s+)?|\s+or\s+)[a-z][\w-]*)+")


@dataclass(frozen=True)
class Names:
    """The names there are; `data` is the folder of trees, imported series and runs."""

    data: Path

    def trees(self) -> list[str]:
        """Trees that were added."""
        return sorted(file.stem for file in self.data.glob("trees/[!.]*.json"))

    def series(self) -> list[str]:
        """Series: carried, then imported."""
        return [*_folders("patches", "series.toml"), *self.imported()]

    def imported(self) -> list[str]:
        """Series that were imported."""
        return sorted(file.parent.name for file in self.data.glob("series/*/series.json"))

    def ports(self) -> list[str]:
        """Ports of series that were begun."""
        return sorted(file.parent.name for file in self.data.glob("ports/*/port.json"))

    def runs(self) -> list[str]:
        """The newest runs, the newest first."""
        folder = self.data / "runs"
        going_on = os.listdir(folder) if folder.is_dir() else []
        names = {*going_on, *_stored(self.data / "kzc.db")}
        return sorted(filter(_RUN.fullmatch, names), reverse=True)[:_NEWEST]

    def suites(self) -> list[str]:
        """The suites that kzc brings along."""
        return _folders("selftests", "suite.toml")

    def profiles(self) -> list[str]:
        """Kernel configurations."""
        return list(_toml(shared_folder("kconfigs") / "profiles.toml"))

    def plans(self) -> list[str]:
        """Plans of measurements."""
        return sorted(file.stem for file in shared_folder("plans").glob("*.toml"))

    def seeds(self) -> list[str]:
        """Documents that claim something."""
        return sorted(file.stem for file in shared_folder("seeds").glob("*.toml"))

    def kernels(self) -> list[str]:
        """What may stand for a kernel."""
        return [*self.trees(), *self.series()]

    def parsers(self) -> list[str]:
        """The formats that `kzc parse` reads."""
        from kzc.suites.parsers import PARSERS

        return [*PARSERS, "kernel-log"]

    def compared(self) -> list[str]:
        """What `kzc compare` takes."""
        return [*self.series(), *self.runs()]

    def topics(self) -> list[str]:
        """What `kzc help` explains."""
        from kzc.cli.manual.topics import topics

        return list(topics())

    def values(self, wanted: Wanted) -> Iterable[str]:
        """The names that a parameter takes."""
        for word in wanted.words:
            for key in (" ".join((*wanted.path, word)), " ".join((*wanted.path[:1], word)), word):
                if key in _TAKES:
                    return _TAKES[key](self)
        return choices(wanted.help)


_TAKES: Mapping[str, Callable[[Names], list[str]]] = {
    "--against": Names.runs,
    "--guest-kernel": Names.kernels,
    "--host-kernel": Names.kernels,
    "--onto": Names.trees,
    "--overlay": Names.series,
    "--plan": Names.plans,
    "--profile": Names.profiles,
    "--suite": Names.suites,
    "--test": Names.suites,
    "--tree": Names.trees,
    "KERNEL": Names.kernels,
    "NEW": Names.compared,
    "OLD": Names.compared,
    "PORT": Names.ports,
    "RUN": Names.runs,
    "SEED": Names.seeds,
    "SERIES": Names.series,
    "SUITE": Names.suites,
    "TOPIC": Names.topics,
    "TREE": Names.trees,
    "bisect --test": lambda names: [*names.suites(), "boot"],
    "boot NAME": Names.series,
    "build NAME": Names.series,
    "parse FORMAT": Names.parsers,
    "series NAME": Names.series,
    "series remove NAME": Names.imported,
    "tree NAME": Names.trees,
}


def choices(text: str) -> list[str]:
    """The words that a help text offers: `text, markdown (for a cover letter) or json.`"""
    found = _CHOICES.match(re.sub(r"\s*\([^)]*\)", "", text))
    return re.findall(r"\b(?!or\b)[a-z][\w-]*", found[0]) if found else []


def data_folder(cwd: Path, environment: Mapping[str, str]) -> Path:
    """Where settings.load_settings finds the data; not checked, as this only offers words."""
    from platformdirs import user_config_path, user_data_path

    if environment.get("KZC_DATA"):
        return cwd / Path(environment["KZC_DATA"]).expanduser()
    for folder in (cwd, user_config_path("kzc")):
        said = _toml(folder / "kzc.toml").get("data")
        if isinstance(said, str):
            return folder / Path(said).expanduser()
    return user_data_path("kzc")


def _stored(file: Path) -> list[str]:
    """The newest runs of a database of this machine, which is only read; another one is too far."""
    import sqlite3

    if not file.is_file():
        return []
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=0.1)) as opened:
            asked = "SELECT id FROM runs ORDER BY started DESC LIMIT ?"
            return [str(row[0]) for row in opened.execute(asked, (_NEWEST,))]
    except sqlite3.Error:
        return []


def _folders(shared: str, inside: str) -> list[str]:
    return sorted(file.parent.name for file in shared_folder(shared).glob(f"*/{inside}"))


def _toml(file: Path) -> dict[str, object]:
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
