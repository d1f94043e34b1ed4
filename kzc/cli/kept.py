# SPDX-License-Identifier: GPL-2.0-only
"""`kzc ps`, `kzc stop` and `kzc shell`: what runs now, its end, and a way into what was kept."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from kzc.errors import UsageError
from kzc.guest.terminal import Left, attach
from kzc.hosts import keyboard
from kzc.jobs.keep import connected
from kzc.jobs.live import Entry, Machine, chosen, running, stop
from kzc.results.clean import short
from kzc.settings import load_settings

_LOGIN = ("sh", "-c", 'exec "${SHELL:-sh}" -l')


def ps(as_json: bool) -> int:
    """The table of what runs."""
    entries = running(load_settings({}, Path.cwd()).data)
    if as_json:
        print(json.dumps([{**asdict(entry), "kept": entry.kept} for entry in entries], indent=2))
        return 0
    if not entries:
        print("no kzc runs here")
        return 0
    table = Table("run", "pid", "since (UTC)", "state", "machine", "what", box=None)
    for entry in entries:
        for row in _rows(entry):
            table.add_row(*(Text(short(word), overflow="fold") for word in row))
    Console().print(table)
    return 0


def _rows(entry: Entry) -> list[tuple[str, ...]]:
    state = "kept" if entry.kept else "working"
    head = (entry.run, str(entry.pid), _clock(entry.started), state, "", shlex.join(entry.command))
    return [
        head,
        *(
            ("", "", _clock(each.since), "kept" if each.kept else "in use", each.name, each.what)
            for each in entry.machines
        ),
    ]


def _clock(stamp: str) -> str:
    return stamp.partition("+")[0].replace("T", " ")


def stopped(name: str, everything: bool) -> int:
    """End one run, or all that run."""
    data = load_settings({}, Path.cwd()).data
    entries = running(data)
    if name and everything:
        raise UsageError("a run and --all are two different wishes", "give one of them")
    if everything and not entries:
        print("no kzc runs here")
    for entry in entries if everything else (chosen(entries, name),):
        tidy = stop(data, entry)
        how = "stopped" if tidy else "did not end by itself and was killed"
        print(f"{entry.run} ({short(shlex.join(entry.command))}): {how}")
    return 0


def shell(name: str, machine: str) -> int:
    """Hand this terminal to a kept machine until Ctrl-], or the machine's end."""
    settings = load_settings({}, Path.cwd())
    entries = running(settings.data)
    if not machine and any(name == each.name for entry in entries for each in entry.machines):
        name, machine = "", name  # `kzc shell host`: no run is called so
    entry = _kept(entries, name)
    found = _machine(entry, machine or "guest")
    keyboard.needed()
    if found.address:
        from kzc.hosts.ssh import connect, parse_address

        with connect(parse_address(found.address)) as host:
            return host.runner.interactive(_LOGIN)
    with connected(settings.data, entry, found) as owner:
        print(f"{short(found.what)} of run {entry.run}: Ctrl-] leaves it running", flush=True)
        left = attach(owner)
    print("\r\nkzc: " + ("left" if left is Left.KEY else "the guest has ended"))
    return 0


def _kept(entries: Sequence[Entry], name: str) -> Entry:
    kept = [entry for entry in entries if entry.kept]
    if name:
        entry = chosen(entries, name)
        if not entry.kept:
            raise UsageError(
                f"run {entry.run} keeps no machine (yet)",
                "a run with --keep opens its guests when its suites are over; see `kzc ps`",
            )
        return entry
    if not kept:
        raise UsageError("no run keeps a machine", "start one with --keep: `kzc test vsock --keep`")
    return chosen(kept, name)


def _machine(entry: Entry, name: str) -> Machine:
    kept = [machine for machine in entry.machines if machine.kept]
    for machine in kept:
        if machine.name == name:
            return machine
    there = f"there are: {', '.join(machine.name for machine in kept)}"
    if name == "host" and not any(machine.name == name for machine in entry.machines):
        raise UsageError(f"the host of run {entry.run} is this machine: you are on it", there)
    raise UsageError(f"run {entry.run} keeps no machine {name}", there)
