# SPDX-License-Identifier: GPL-2.0-only
"""What of the machine belongs beside a bench's figures.

Rule: instructions do not depend on the machine, so only what emulates and compiles is named; wall
time depends on all that can be read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from kzc.bench.values import Clock
from kzc.jobs.machine import Machine

_EMULATION = {"qemu": "QEMU", "accelerator": "accelerator", "profile": "profile"}


def facts_of(machine: Machine, known: Mapping[str, str], clock: Clock) -> dict[str, str]:
    """Label and value; `known` is the run's environment. What cannot be read is left out."""
    facts = {label: known.get(key, "") for key, label in _EMULATION.items()}
    if clock is Clock.INSTRUCTIONS:
        facts["accelerator"] = "tcg with icount, one CPU"
    else:
        facts |= {"machine": known.get("machine", ""), **_of_cpu(machine)}
    return {label: value for label, value in facts.items() if value}


def _of_cpu(machine: Machine) -> dict[str, str]:
    cpus = machine.sys / "devices/system/cpu"
    weak = sorted((cpus / "vulnerabilities").glob("*"))
    told = {path.name: _read(path) for path in weak}
    mitigated = [name for name, text in told.items() if text.startswith("Mitigation")]
    load, *_ = os.getloadavg()
    return {
        "CPU": f"{_model(machine)}, {os.cpu_count()} CPUs",
        "governor": _read(cpus / "cpu0/cpufreq/scaling_governor"),
        "SMT": {"1": "on", "0": "off"}.get(_read(cpus / "smt/active"), ""),
        "mitigations": ", ".join(mitigated),
        "load before": f"{load:.2f}",
    }


def _model(machine: Machine) -> str:
    for line in _read(machine.proc / "cpuinfo").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return "unknown"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
