# SPDX-License-Identifier: GPL-2.0-only
"""The past of a case, shown: for a terminal, and as an object for JSON. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kzc.results.clean import paired, short
from kzc.results.past import Past, Sighting
from kzc.results.words import label, plural

_FACTS = ("tree", "tree_id", "series", "series_key", "profile", "accelerator")
_HEAD = ("run", "verdict", "tree", "series", "reason")


def rate(past: Past) -> str:
    """`bad in 3 of 10`, empty where nothing counts."""
    return f"bad in {past.bad:,} of {len(past.told):,}" if past.told else ""


def summary(past: Past) -> str:
    """One line: since when it is bad, how often it was, whether it is flaky."""
    if not past.told:
        return f"seen in {plural(len(past.seen), 'run')}, never with a verdict of its own"
    parts = [rate(past)]
    if past.flaky:
        parts.append("FLAKY: the same kernel was both good and bad")
    if past.first_bad:
        since = "bad since" if past.lasting else "first bad in"
        parts.append(f"{since} run {past.first_bad.run} ({_kernel(past.first_bad)})")
    if past.last_good and past.bad:
        parts.append(f"last good in run {past.last_good.run} ({_kernel(past.last_good)})")
    return "; ".join(parts)


def table(pasts: Sequence[Past]) -> RenderableType:
    """Each past with its summary and its runs, the newest first."""
    parts: list[RenderableType] = []
    for past in pasts:
        parts += [Text()] if parts else []
        parts.append(Text(short(_name(past)), "bold"))
        parts.append(Text(short(summary(past)), "" if past.bad else "green"))
        found = Table(box=None, pad_edge=False, header_style="bold")
        for name in _HEAD:
            found.add_column(name, overflow="fold", no_wrap=name == "run")
        for each in reversed(past.seen):
            facts = (each.facts.get("tree", ""), each.facts.get("series", ""))
            cells = (label(each.verdict), *facts, each.reason)
            found.add_row(Text(each.run), *(Text(short(cell)) for cell in cells))
        parts.append(found)
    return Group(*parts)


def as_object(past: Past) -> dict[str, Any]:
    """For JSON; times are UTC, `rate` is None where nothing counts."""
    return {
        "subject": paired(past.subject),
        "case": paired(past.case),
        "seen": len(past.seen),
        "counted": len(past.told),
        "bad": past.bad,
        "rate": past.rate,
        "flaky": past.flaky,
        "bad_now": past.lasting,
        "first_seen": past.seen[0].started,
        "last_seen": past.seen[-1].started,
        "first_bad": past.first_bad.run if past.first_bad else None,
        "last_good": past.last_good.run if past.last_good else None,
        "sightings": [_sighting(each) for each in past.seen],
    }


def _sighting(each: Sighting) -> dict[str, Any]:
    return {
        "run": each.run,
        "started": each.started,
        "verdict": each.verdict.value,
        "seconds": each.seconds,
        "reason": paired(each.reason),
        **{name: paired(each.facts[name]) for name in _FACTS if name in each.facts},
    }


def _name(past: Past) -> str:
    return f"{past.subject}: {past.case}" if past.case else past.subject


def _kernel(each: Sighting) -> str:
    names = (each.facts.get(name, "") for name in ("series", "tree"))
    return " on ".join(short(name) for name in names if name) or each.started
