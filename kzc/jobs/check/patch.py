# SPDX-License-Identifier: GPL-2.0-only
"""The checks of one patch beside the kernel: its mail, its style, the test programs."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from kzc.errors import KzcError
from kzc.jobs.check.bench import Bench
from kzc.jobs.workshop import stopwatch
from kzc.series import checkpatch
from kzc.series.lint import lint
from kzc.suites import binaries
from kzc.suites.manifest import Suite
from kzc.values import Case, Patch, Verdict

# test programs are made of these, and of the uapi headers
_TOOLS = ("tools/", "usr/", "scripts/", "Makefile")
_COMMON = "tools/testing/selftests"


def style(bench: Bench) -> Case:
    """checkpatch --strict, the tree's own: an error fails, the rest is shown."""
    watch, log = stopwatch(), bench.log("checkpatch")
    if shutil.which("perl") is None:
        return Case("checkpatch", Verdict.SKIP, reason="there is no perl: apt-get install perl")
    if not (bench.slot.path / checkpatch.ARGV[1]).is_file():
        return Case("checkpatch", Verdict.SKIP, reason=f"the tree has no {checkpatch.ARGV[1]}")
    done = bench.shopfloor.runner.capture(
        checkpatch.ARGV, cwd=bench.slot.path, stdin=bench.at.patch.body, check=False
    )
    log.write_text(done.stdout + done.stderr)
    found = checkpatch.parse(done.stdout.splitlines())
    if found is None:
        reason = f"checkpatch did not come to its end: status {done.code}"
        return Case("checkpatch", Verdict.INFRA, watch(), reason, bench.detail("checkpatch"))
    remarks = [_remark(remark) for remark in found.remarks]
    detail = bench.detail("checkpatch", remarks=remarks)
    verdict = Verdict.FAIL if found.errors else Verdict.PASS
    return Case("checkpatch", verdict, watch(), found.words if remarks else "", detail)


def mail(patch: Patch, *, tags: str = "", sender: str = "") -> Case:
    """Trailers, subject, and whether there is a text."""
    found = lint(patch, tags=tags, sender=sender)
    bad = [problem.text for problem in found if not problem.hint]
    hints = [problem.text for problem in found if problem.hint]
    detail = {"problems": bad, "hints": hints}
    reason = "; ".join((*bad, *hints))
    verdict = Verdict.FAIL if bad else Verdict.PASS
    return Case("mail", verdict, reason=reason, detail={k: v for k, v in detail.items() if v})


def selftests(bench: Bench, suites: Sequence[Suite]) -> Case:
    """Do the programs of these suites build from the patch's commit?"""
    watch, shopfloor = stopwatch(), bench.shopfloor
    store, log = shopfloor.settings.cache / "tests", bench.log("selftests")
    compiler, tree_id = bench.recipe.compiler, bench.at.source.tree_id
    if not suites:
        return Case("selftests", Verdict.SKIP, reason=_no_suite(bench.at.files))
    shopfloor.screen.step(f"test programs of patch {bench.at.name}")
    worktree = binaries.Worktree(bench.slot.path, bench.slot.folder / "headers", tree_id)
    for suite in suites:
        shopfloor.places.use(store / binaries.key(suite, tree_id, compiler))
        try:
            binaries.build(suite, worktree, store, shopfloor.runner, compiler=compiler, log=log)
        except KzcError as error:
            verdict = Verdict.FAIL if error.exit_code == 1 else Verdict.INFRA
            detail = bench.detail("selftests", hint=error.hint)
            return Case("selftests", verdict, watch(), error.message, detail)
    names = ", ".join(suite.name for suite in suites)
    return Case("selftests", Verdict.PASS, watch(), names, bench.detail("selftests"))


def suites_for(files: Iterable[str], suites: Iterable[Suite], own: Iterable[str]) -> list[Suite]:
    """Those whose programs a patch may break: made in a folder that it touches, or, of the
    series' own, made of something else that it touches."""
    files = tuple(files)
    shared = any(_is_shared(file) for file in files)
    wanted = set(own)
    return [
        suite
        for suite in suites
        if _in_folder(files, suite)
        or (shared and (suite.build or suite.programs) and suite.name in wanted)
    ]


def of_programs(files: Iterable[str], suite: Suite) -> bool:
    """Whether any of these files can make a difference to the suite's programs."""
    files = tuple(files)
    return _in_folder(files, suite) or any(_is_shared(file) for file in files)


def _in_folder(files: Iterable[str], suite: Suite) -> bool:
    return any(file.startswith(f"{made.folder}/") for made in suite.build for file in files)


def _is_shared(file: str) -> bool:
    """Whether programs of any suite may be made of it. Below tools/testing each folder has its
    own, but for what lies right in tools/testing/selftests (lib.mk, kselftest.h)."""
    if file.startswith("tools/testing/") and str(Path(file).parent) != _COMMON:
        return False
    return file.startswith(_TOOLS) or "/uapi/" in file


def _remark(remark: checkpatch.Remark) -> dict[str, object]:
    kind = f"{remark.kind} {remark.type}".strip()
    place = remark.file or "commit message"
    return {"file": place, "line": remark.line, "kind": kind, "text": remark.text}


def _no_suite(files: Iterable[str]) -> str:
    folders = sorted({str(Path(f).parent) for f in files if f.startswith("tools/testing/")})
    if folders:
        return f"no suite of kzc is made in {', '.join(folders)}"
    return "it touches nothing that test programs are made of"
