# SPDX-License-Identifier: GPL-2.0-only
"""Jobs, a catalogue and matrices for the tests of a CI run."""

from __future__ import annotations

from pathlib import Path

from kzc.errors import UsageError
from kzc.jobs.ci.matrix import Matrix, load_matrix
from kzc.jobs.ci.plan import Catalogue, Measured
from kzc.jobs.ci.values import Cell, Job, Kind, Wants
from kzc.suites.manifest import Suite

TOPOLOGIES = {
    "vsock": ("loopback", "two ends"),
    "net": ("loopback",),
    "odd": ("loopback",),
}


def suite(name: str) -> Suite:
    """A suite by one of the names above; odd wants a fragment that no profile has."""
    if name not in TOPOLOGIES:
        raise UsageError(f"there is no suite {name}")
    values: dict[str, object] = {"name": name, "title": "t", "guest": "mini", "cpus": 2}
    if "loopback" in TOPOLOGIES[name]:
        values["commands"] = [{"name": "x", "run": "true", "parser": "exit"}]
    if "two ends" in TOPOLOGIES[name]:
        values["pairs"] = [{"name": "y", "server": "s", "client": "c", "parser": "exit"}]
    if name == "odd":
        values["fragments"] = ["net.config", "odd.config"]
    return Suite.model_validate(values)


CATALOGUE = Catalogue(
    suite=suite,
    suites=lambda series: ("vsock", "net") if series == "none" else ("vsock",),
    fragments=lambda profile, series: ("base", "net", profile),
    plan=lambda name: Measured(suite("odd"), *(("s", "local") if name == "posted" else ())),
    memory=lambda profile: 1536 if profile == "debug" else 512,
    cpus=2,
)


def matrix(folder: Path, text: str) -> Matrix:
    """What a kzc.toml with that text asks for."""
    file = folder / "kzc.toml"
    file.write_text(text)
    return load_matrix(file)


def build(name: str, seconds: float = 10.0, *, required: bool = True) -> Job:
    """A build of the series `name`."""
    argv = ("build", name)
    cell = Cell("t", name)
    return Job(f"t/{name}/build", Kind.BUILD, argv, cell, expected=seconds, required=required)


def run(of: Job, suite: str, seconds: float = 1.0, *, required: bool = True, cpus: int = 1) -> Job:
    """A test on what `of` builds."""
    cell = Cell("t", of.cell.series, topology="loopback", suite=suite)
    return Job(
        f"t/{of.cell.series}/loopback/{suite}",
        Kind.TEST,
        ("run", of.cell.series, "--suite", suite),
        cell,
        (of.name,),
        Wants(cpus),
        seconds,
        required=required,
    )
