# SPDX-License-Identifier: GPL-2.0-only
"""Memory of what was checked: folders of the cache, named by all that a result depends on.

An entry is made whole and renamed, holds the result as JSON and its logs, and can be removed at
any time: then the check is made again. One that cannot be read counts as not there.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from kzc.git import full_disk_told
from kzc.jobs.workshop import Workshop, touch
from kzc.results.codec import outcome_from_json, outcome_to_json
from kzc.values import Case, Outcome, Verdict

_RESULT = "outcome.json"
_CHANCE = frozenset({Verdict.INFRA, Verdict.CRASH, Verdict.TIMEOUT})
_BUILDS = frozenset({"build", "selftests"})


def key_of(*parts: object) -> str:
    """Names a result by what it depends on."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode()
        digest.update(b"%d\0" % len(data) + data)
    return digest.hexdigest()[:24]


def digest_of(folder: Path) -> str:
    """Names the files right in a folder by their names and content."""
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return key_of(*(part for path in files for part in (path.name, path.read_bytes())))


def lasting(outcome: Outcome) -> bool:
    """Whether the same would come out again: nothing of it is chance, or lies in this machine.

    A build that fails may lack a library here, so it is tried again.
    """
    failed = {case.name for case in outcome.cases if case.verdict is Verdict.FAIL}
    chance = _CHANCE & {outcome.verdict, *(case.verdict for case in outcome.cases)}
    return not chance and not failed & _BUILDS


def recall(shopfloor: Workshop, key: str, prefix: str) -> Outcome | None:
    """The result of that name, its logs copied into the run as `prefix` and the check's name."""
    folder = _folder(shopfloor, key)
    shopfloor.places.use(folder)
    try:
        outcome = outcome_from_json(json.loads((folder / _RESULT).read_text(encoding="utf-8")))
        cases = tuple(_fetched(case, folder, shopfloor, prefix) for case in outcome.cases)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    touch(folder)
    return replace(outcome, cases=cases, detail={**outcome.detail, "checked_before": True})


def remember(shopfloor: Workshop, key: str, outcome: Outcome) -> None:
    """Put a result and its logs into the cache. Raises HostError for a full disk."""
    folder = _folder(shopfloor, key)
    with full_disk_told():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".part-") as part:
            made = Path(part) / "result"
            made.mkdir()
            cases = tuple(_put_away(case, made, shopfloor) for case in outcome.cases)
            data = outcome_to_json(replace(outcome, cases=cases))
            (made / _RESULT).write_text(json.dumps(data), encoding="utf-8")
            if not folder.exists():
                made.rename(folder)


def _folder(shopfloor: Workshop, key: str) -> Path:
    return shopfloor.settings.cache / "checks" / key


def _put_away(case: Case, folder: Path, shopfloor: Workshop) -> Case:
    log = case.detail.get("log")
    if not log:
        return case
    name = f"{shopfloor.log(case.name).stem}.log"
    shutil.copyfile(shopfloor.run.folder / log, folder / name)
    return replace(case, detail=_with_log(case.detail, name))


def _fetched(case: Case, folder: Path, shopfloor: Workshop, prefix: str) -> Case:
    if not case.detail.get("log"):
        return case
    log = shopfloor.log(f"{prefix}-{case.name}")
    shutil.copyfile(folder / f"{shopfloor.log(case.name).stem}.log", log)
    return replace(case, detail=_with_log(case.detail, shopfloor.relative(log)))


def _with_log(detail: Mapping[str, object], log: str) -> Mapping[str, object]:
    return {**detail, "log": log}
