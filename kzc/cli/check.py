# SPDX-License-Identifier: GPL-2.0-only
"""`kzc check`: every patch of a series, or one mail that b4 hands over.

For b4 nothing but its format goes to standard output, and the status is 0 whatever was found: b4
takes another for a command that is broken.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from kzc.cli.exports import files_of, write
from kzc.cli.job import Job, all_suites, marked, suite_folder, understand
from kzc.cli.mainjob import opened, plan_for, reported
from kzc.cli.options import Asked
from kzc.errors import UsageError
from kzc.git import Git
from kzc.jobs.check import series as checks
from kzc.jobs.check.series import Request
from kzc.jobs.workshop import Workshop
from kzc.proc import LocalRunner
from kzc.results.b4 import b4_checks, terse
from kzc.results.clean import paired
from kzc.results.json_report import json_report
from kzc.results.verdicts import exit_code
from kzc.series.mail import Mail, read_mail
from kzc.series.mails import series_of_one
from kzc.suites.manifest import load_suite
from kzc.trees.find import enclosing_kernel
from kzc.values import Series

_STDIN = "-"
_LOOK_BACK = "500"
# b4 takes each line on standard error for a failure
_QUIET = ("b4", "terse")


@dataclass(frozen=True)
class _Mailed:
    """One mail from standard input, as a series."""

    mail: Mail
    series: Series


def check(asked: Asked, allmodconfig: bool, form: str) -> int:
    """Check all patches and report: text or json with the verdict's status, b4 or terse with 0."""
    files = files_of(asked)
    mailed = _from_stdin(sys.stdin.buffer.read()) if asked.series == _STDIN else None
    job = _for_mail(asked, mailed) if mailed else understand(asked)
    series = job.patches("check")
    tests = job.suites if asked.suites else ()
    plan, facts = plan_for(job) if tests else (None, {})
    request = Request(
        job.tree,
        series,
        job.wanted,
        tuple(load_suite(suite_folder(name, Path.cwd())) for name in all_suites()),
        tuple(suite.name for suite in job.suites),
        tests,
        plan,
        allmodconfig,
        mailed.mail.tags if mailed else "",
        mailed.mail.sender if mailed else "",
    )
    with opened(job, facts, quiet=form in _QUIET) as shopfloor:
        checks.run(shopfloor, request)
    write(files, shopfloor.run.run, shopfloor.run.folder)
    return _FORMS[form](shopfloor)


def _from_stdin(raw: bytes) -> _Mailed:
    """The mail as a series of one, whatever number it has. Raises UsageError."""
    if not raw.strip():
        raise UsageError("there is no mail on standard input", "kzc check - < 0001-x.patch")
    mail = read_mail(raw)
    return _Mailed(mail, series_of_one(mail, "mail", "standard input"))


def _for_mail(asked: Asked, mailed: _Mailed) -> Job:
    """The tree that the mail's patch is for: below its own commit if the checkout has that."""
    runner = LocalRunner()
    place = Path.cwd() / asked.tree if asked.tree else enclosing_kernel(Path.cwd())
    tree = asked.tree
    if place is not None and place.is_dir() and (commit := _commit_of(mailed, Git(runner, place))):
        tree = f"{place}#{commit}^"
    job = understand(replace(asked, series="", tree=tree), with_suites=bool(asked.suites))
    facts = {**job.facts, "series": mailed.series.title}
    return marked(replace(job, series=mailed.series, facts=facts), (mailed.series,))


def _commit_of(mailed: _Mailed, git: Git) -> str:
    """The commit of the checkout that has this very diff under this title, empty if none has."""
    listed = git.find("log", f"-{_LOOK_BACK}", "--no-merges", "--format=%H %s")
    wanted = _patch_id(git, mailed.mail.diff)
    for line in listed.splitlines():
        commit, _, title = line.partition(" ")
        if title == mailed.mail.title and wanted:
            shown = git.run("show", "--format=", "--binary", commit, check=False).raw
            if _patch_id(git, shown) == wanted:
                return commit
    return ""


def _patch_id(git: Git, diff: bytes) -> str:
    return git.run("patch-id", "--stable", stdin=diff, check=False).stdout.partition(" ")[0]


def _shown_as_b4(shopfloor: Workshop) -> int:
    found = b4_checks(shopfloor.run.run, shopfloor.run.folder)
    print(json.dumps([{key: paired(text) for key, text in each.items()} for each in found]))
    return 0


def _shown_terse(shopfloor: Workshop) -> int:
    for line in terse(shopfloor.run.run):
        print(line)
    return 0


def _shown_as_json(shopfloor: Workshop) -> int:
    print(json_report(shopfloor.run.run, shopfloor.run.folder))
    return exit_code(shopfloor.run.run)


_FORMS: dict[str, Callable[[Workshop], int]] = {
    "text": reported,
    "b4": _shown_as_b4,
    "terse": _shown_terse,
    "json": _shown_as_json,
}
