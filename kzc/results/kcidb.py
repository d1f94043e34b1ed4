# SPDX-License-Identifier: GPL-2.0-only
"""A run as a KCIDB report (kernelci.org), valid by the newest schema that kcidb-io knows.

Rules: every object has a start_time, suites are under `kselftest`, no part of a path is empty. Only
the file is written: nothing is sent. A patched checkout has no patchset_hash, as that is made of
the mails' bytes, which a run does not keep; the series and its key are under misc.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from kzc.errors import HostError, pip_install
from kzc.results import summary
from kzc.results.clean import paired, printable, short
from kzc.results.codec import jsonable
from kzc.results.matrix import of_suite
from kzc.results.verdicts import MEASUREMENT_ONLY, judge
from kzc.values import Case, Outcome, Run, Stage, Verdict, worst

ORIGIN = "kzc"
_STATUS = {
    Verdict.PASS: "PASS",
    Verdict.FAIL: "FAIL",
    Verdict.SKIP: "SKIP",
    Verdict.XFAIL: "PASS",
    Verdict.CRASH: "FAIL",
    Verdict.TIMEOUT: "FAIL",
    Verdict.INFRA: "ERROR",
    Verdict.NOT_RUN: "MISS",
}
_EXCERPT = 16384
_COMMIT = re.compile(r"[0-9a-f]{40}")
_PART = re.compile(r"[^A-Za-z0-9_-]+")
_Object = dict[str, Any]


@dataclass(frozen=True)
class _Timed:
    """An outcome with its place in the run, when it began, and the build that it is of."""

    at: int
    outcome: Outcome
    start: datetime
    build: str


def kcidb(run: Run, origin: str = ORIGIN) -> str:
    """The report as JSON text. Raises HostError where kcidb-io is not there or refuses it."""
    try:
        from kcidb_io.schema import LATEST
    except ImportError:
        raise HostError(
            "the KCIDB report needs the Python package kcidb-io",
            pip_install("kcidb-io"),
        ) from None
    report = as_object(run, origin, (LATEST.major, LATEST.minor))
    if not LATEST.is_valid_exactly(report):
        raise HostError(
            f"kcidb-io does not take the report of run {run.id}",
            "`kzc report --format json` has all of it; please report this as a fault of kzc",
        )
    return json.dumps(report, indent=2) + "\n"


def as_object(run: Run, origin: str, version: tuple[int, int]) -> _Object:
    """The report: one checkout, its kernels, and boots, checks and cases as tests."""
    timed = list(_timed(run, origin))
    builds = list(_builds(run, origin, timed))
    report = {
        "version": {"major": version[0], "minor": version[1]},
        "checkouts": [_checkout(run, origin)],
        "builds": builds,
        "tests": [test for each in timed for test in _tests(run, origin, each)],
    }
    return {str(key): value for key, value in _whole(report).items()}


def path(*parts: str) -> str:
    """A test's path of names; a name's own slashes divide it, no part is empty."""
    names = [name for part in parts for name in part.split("/")]
    clean = (_PART.sub("_", name).strip("_") for name in names if name.strip())
    return ".".join(name or "_" for name in clean)


def _timed(run: Run, origin: str) -> Iterator[_Timed]:
    """Outcomes follow each other, so that the sum of what was before tells when one began."""
    now, build = _begin(run), _id(origin, run, "build")
    for at, outcome in enumerate(run.outcomes):
        if outcome.stage in (Stage.BUILD, Stage.CHECK):
            build = _id(origin, run, f"{at}")
        yield _Timed(at, outcome, now, build)
        now += timedelta(seconds=min(max(outcome.seconds, 0), 1e8))


def _begin(run: Run) -> datetime:
    try:
        begin = datetime.fromisoformat(run.started)
    except ValueError:
        begin = datetime.fromtimestamp(0, UTC)
    return begin if begin.tzinfo else begin.replace(tzinfo=UTC)


def _checkout(run: Run, origin: str) -> _Object:
    environment = run.environment
    applied = [judge(each) for each in run.outcomes if each.stage in (Stage.TREE, Stage.APPLY)]
    commit = environment.get("commit", "")
    names = ("tree_id", "series", "series_key", "uncommitted", MEASUREMENT_ONLY)
    return {
        "id": _id(origin, run, "checkout"),
        "origin": origin,
        "tree_name": short(environment.get("tree", "")).partition(" ")[0],
        **({"git_commit_hash": commit} if _COMMIT.fullmatch(commit) else {}),
        **({} if environment.get("series") else {"patchset_hash": ""}),
        "comment": short(summary.headline(run)),
        "start_time": _begin(run).isoformat(),
        "valid": worst(applied).good if applied else True,
        "misc": {
            **{key: environment[key] for key in names if environment.get(key)},
            **{"kzc": run.kzc, "run": run.id, "command": list(run.command)},
        },
    }


def _builds(run: Run, origin: str, timed: list[_Timed]) -> Iterator[_Object]:
    built = [each for each in timed if each.outcome.stage in (Stage.BUILD, Stage.CHECK)]
    first = _id(origin, run, "build")
    if any(each.build == first and list(_tests(run, origin, each)) for each in timed):
        yield _build(run, origin, first, _begin(run))
    for each in built:
        case = next((case for case in each.outcome.cases if case.name == "build"), None)
        whole = each.outcome.stage is Stage.BUILD
        verdict = judge(each.outcome) if whole else case.verdict if case else Verdict.NOT_RUN
        warnings = each.outcome.detail.get("warnings") or []
        made = _build(run, origin, each.build, each.start)
        yield {
            **made,
            "comment": short(each.outcome.subject),
            "duration": round(each.outcome.seconds if whole else case.seconds if case else 0, 3),
            "status": _STATUS[verdict],
            **_excerpt(each.outcome.reason, each.outcome.detail),
            "misc": {**made["misc"], "verdict": verdict.value, "warnings": warnings},
        }


def _build(run: Run, origin: str, name: str, start: datetime) -> _Object:
    environment = run.environment
    machine = environment.get("machine", "").partition(" ")[0].strip(",").lower()
    return {
        "id": name,
        "origin": origin,
        "checkout_id": _id(origin, run, "checkout"),
        "start_time": start.isoformat(),
        "architecture": re.sub(r"[^a-z0-9_]", "", machine),
        "compiler": short(environment.get("compiler", "")),
        "config_name": short(environment.get("profile", "")),
        "misc": {"config_hash": environment.get("config_hash", "")},
    }


def _tests(run: Run, origin: str, timed: _Timed) -> Iterator[_Object]:
    outcome = timed.outcome
    test = partial(_test, _head(run, origin, timed), timed)
    whole = Case("", judge(outcome), outcome.seconds, outcome.reason, outcome.detail)
    if outcome.stage is Stage.BOOT:
        yield test("boot", whole, "")
    elif outcome.stage is Stage.TEST:
        suite, where = of_suite(outcome)
        names = ("kselftest", suite, *(() if where == "loopback" else (where,)))
        yield test(path(*names), whole, "")
        for number, case in enumerate(outcome.cases):
            yield test(path(*names, case.name), case, f".{number}")
    elif outcome.stage is Stage.CHECK:
        for number, case in enumerate(outcome.cases):
            if case.name != "build":
                yield test(path("kzc", case.name), case, f".{number}")


def _head(run: Run, origin: str, timed: _Timed) -> _Object:
    facts = ("accelerator", "qemu", "virtme_ng", "machine")
    return {
        "id": _id(origin, run, f"test.{timed.at}"),
        "origin": origin,
        "build_id": timed.build,
        "environment": {
            "comment": short(timed.outcome.subject),
            "misc": {key: run.environment[key] for key in facts if run.environment.get(key)},
        },
    }


def _test(head: _Object, timed: _Timed, where: str, case: Case, number: str) -> _Object:
    return {
        **head,
        "id": f"{head['id']}{number}",
        "path": where,
        "comment": short(case.name or timed.outcome.subject),
        "start_time": timed.start.isoformat(),
        "duration": round(case.seconds, 3),
        "status": _STATUS[case.verdict],
        **_excerpt(case.reason, case.detail),
        "misc": {"verdict": case.verdict.value, "reason": case.reason, **_facts(case.detail)},
    }


def _facts(detail: Mapping[str, Any]) -> _Object:
    left = {"excerpt", "decoded", "hunks", "verdict", "reason"}
    return {key: value for key, value in detail.items() if key not in left}


def _excerpt(reason: str, detail: Mapping[str, Any]) -> _Object:
    found = detail.get("decoded") or detail.get("excerpt") or ()
    lines = [reason, *map(str, found if isinstance(found, list | tuple) else ())]
    text = printable("\n".join(filter(None, lines)))[:_EXCERPT]
    return {"log_excerpt": text} if text else {}


def _id(origin: str, run: Run, name: str) -> str:
    return f"{origin}:{run.id}.{name}"


def _whole(value: Any) -> Any:
    """As JSON holds it, and without NUL, which the schema refuses."""
    value = jsonable(value)
    if isinstance(value, str):
        return paired(value).replace("\0", "\\x00")
    if isinstance(value, dict):
        return {_whole(key): _whole(item) for key, item in value.items()}
    return [_whole(item) for item in value] if isinstance(value, list) else value
