# SPDX-License-Identifier: GPL-2.0-only
"""What applying a series came to, as the Outcomes that travel on. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from kzc.series.apply import STOPS, Applied
from kzc.series.fit import HunkFit, PatchFit
from kzc.series.present import Present
from kzc.values import Fit, Outcome, Series, Stage, Verdict


def outcomes(applied: Applied, series: Series) -> tuple[Outcome, ...]:
    """One Outcome per patch, in order.

    `detail` has `fit`, `commit` (None without one) and `hunks`: of each file, header, fit, line,
    offset and function; of a patch that does not fit also the patch's text and what the tree has
    there, and the same as text for a log under `log`. A patch with hunks that may have landed in
    the wrong place passes, but says so: in the reason, and of each such hunk under `warnings`.
    """
    total = len(series.patches)
    found = []
    stopped = ""
    for index, patch in enumerate(series.patches):
        subject = f"{index + 1}/{total} {patch.subject}"
        if index >= len(applied.fits):
            reason = f"patch {stopped} does not apply"
            found.append(Outcome(Stage.APPLY, subject, Verdict.NOT_RUN, reason=reason))
            continue
        fit = applied.fits[index]
        found.append(_outcome(subject, fit, applied.commits[index]))
        if fit.fit in STOPS:
            stopped = f"{index + 1}/{total}"
    return tuple(found)


def not_needed(found: Present, version: str) -> Outcome:
    """The Outcome of a series that a tree of that version has already, with what shows it."""
    detail = {"fit": Fit.ALREADY.value, "seen": list(found.places)}
    reason = found.reason(version)
    return Outcome(Stage.APPLY, found.name, Verdict.SKIP, detail=detail, reason=reason)


def _outcome(subject: str, fit: PatchFit, commit: str | None) -> Outcome:
    detail: dict[str, Any] = {"fit": fit.fit.value, "commit": commit}
    if fit.fit is Fit.APPLIES:
        detail["hunks"] = [_place_of(hunk) for hunk in fit.hunks]
        if fit.doubts:
            detail["warnings"] = [_warning(hunk) for hunk in fit.hunks if hunk.doubt]
            detail["hint"] = (
                "read these hunks where they landed; a series for this tree has no doubt"
            )
        return Outcome(Stage.APPLY, subject, Verdict.PASS, detail=detail, reason=_landed(fit))
    if fit.fit is Fit.ALREADY:
        detail["hunks"] = [_place_of(hunk) for hunk in fit.hunks]
        reason = "already in the tree"
        return Outcome(Stage.APPLY, subject, Verdict.SKIP, detail=detail, reason=reason)
    detail["hunks"] = [_hunk(hunk) for hunk in fit.hunks]
    detail["log"] = "\n".join(_told(hunk) for hunk in fit.hunks)
    detail["hint"] = "rebase the series, or name the tree it was made for with --tree"
    return Outcome(Stage.APPLY, subject, Verdict.FAIL, detail=detail, reason=_reason(fit))


def _landed(fit: PatchFit) -> str:
    """Empty where every hunk is exactly where the patch says."""
    if fit.doubts:
        return f"applies, but doubtful: {'; '.join(fit.doubts)}"
    moved = [abs(hunk.offset) for hunk in fit.hunks if hunk.offset]
    if not moved:
        return ""
    return (
        f"applies, {len(moved)} of {len(fit.hunks)} hunks with offset, at most {max(moved)} lines"
    )


def _warning(hunk: HunkFit) -> Mapping[str, Any]:
    return {"file": hunk.file, "line": hunk.line, "kind": "doubtful", "text": hunk.doubt}


def _place_of(hunk: HunkFit) -> Mapping[str, Any]:
    return {
        "file": hunk.file,
        "header": hunk.header,
        "fit": hunk.fit.value,
        "line": hunk.line,
        "offset": hunk.offset,
        "function": hunk.function,
        "doubt": hunk.doubt,
    }


def _reason(fit: PatchFit) -> str:
    if fit.fit is Fit.BOTH:
        twice = "fits forward and backward: it is doubtful whether the tree has it already"
        return "; ".join((twice, *fit.doubts))
    failing = [hunk for hunk in fit.hunks if hunk.fit is Fit.CONFLICT]
    places = ", ".join(_place(hunk) for hunk in failing)
    if len(failing) == len(fit.hunks):
        return f"conflict at {places}" if places else "git does not take it"
    counts = Counter(hunk.fit.value for hunk in fit.hunks if hunk not in failing)
    rest = ", ".join(f"{count} {words}" for words, count in counts.items())
    if not failing:
        return f"its hunks disagree: {rest}"
    return f"conflict in {len(failing)} of {len(fit.hunks)} hunks, at {places} (others: {rest})"


def _place(hunk: HunkFit) -> str:
    place = f"{hunk.file}:{hunk.line}" if hunk.line else hunk.file
    return f"{place} ({hunk.note})" if hunk.note else place


def _hunk(hunk: HunkFit) -> Mapping[str, Any]:
    return {
        **_place_of(hunk),
        "patch": hunk.text,
        "tree": "\n".join(hunk.there),
        "note": hunk.note,
    }


def _told(hunk: HunkFit) -> str:
    said = "; ".join(filter(None, (hunk.note, hunk.doubt)))
    head = f"{hunk.file}: {hunk.fit.value}{f' ({said})' if said else ''}\n{hunk.text}"
    if not hunk.there:
        return head
    return head + f"the tree has, from line {hunk.line} on:\n" + _numbered(hunk.there, hunk.line)


def _numbered(lines: Iterable[str], first: int) -> str:
    return "".join(f"{number:6}  {line}\n" for number, line in enumerate(lines, start=first))
