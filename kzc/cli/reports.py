# SPDX-License-Identifier: GPL-2.0-only
"""`kzc report`, `kzc parse`: looking at what was found, and replaying a log."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.text import Text

from kzc.cli.exports import FORMS, Files, checked, write
from kzc.errors import UsageError
from kzc.results import text
from kzc.results.clean import short
from kzc.results.store import Store
from kzc.results.verdicts import exit_code
from kzc.settings import load_settings
from kzc.shared import shared_folder
from kzc.suites import kernel_log
from kzc.suites.parsers import PARSERS
from kzc.values import worst


def report(run_id: str, form: str, files: Files) -> int:
    """One run in one format, or into files; the status is the run's verdict."""
    checked(files)
    store = Store.of(load_settings({}, Path.cwd()))
    run = store.load(run_id or None)
    folder = store.folder_of(run)
    write(files, run, folder)
    if not form and any(files.values()):
        return exit_code(run)
    if form in ("text", ""):
        console = Console(width=None if Console().is_terminal else text.WIDTH)
        console.print(text.render(run, folder), crop=False)
    elif form in FORMS:
        print(FORMS[form](run, folder))
    else:
        raise UsageError(f"there is no format {form}", f"there are: {', '.join(FORMS)}")
    return exit_code(run)


def schema() -> int:
    """The JSON Schema of the JSON report."""
    from kzc.results.schema import json_schema

    print(json.dumps(json_schema(), indent=2))
    return 0


def parse(form: str, file: Path, status: int | None) -> int:
    """What a parser makes of a log; 0 where nothing speaks against the code under test."""
    try:
        # as the control channel cuts them: nothing but a newline ends a line
        lines = file.read_bytes().decode(errors="replace").removesuffix("\n").split("\n")
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None
    lines = [line.rstrip("\r") for line in lines]
    if form == "kernel-log":
        return _findings(lines)
    if form not in PARSERS:
        known = ", ".join([*PARSERS, "kernel-log"])
        raise UsageError(f"there is no parser {form}", f"there are: {known}")
    cases = PARSERS[form](lines, status=status)
    for case in cases:
        parts = [case.reason, *(f"{key}={value}" for key, value in case.detail.items())]
        told = "".join(f"  {short(part)}" for part in parts if part)
        print(f"{case.verdict.value:8} {short(case.name)}{told}")
    if not cases:
        raise UsageError(f"{file} holds no case that the parser {form} knows")
    return 0 if worst(case.verdict for case in cases).good else 1


def _findings(lines: list[str]) -> int:
    rules = kernel_log.load_rules(shared_folder("selftests") / "kernel-log.toml")
    findings = kernel_log.scan(lines, rules)
    console = Console(soft_wrap=True, highlight=False)
    for finding in findings:
        console.print(
            Text(short(f"line {finding.line_number}: {finding.kind}: {finding.text}"), "bold")
        )
        console.print(Text(f"  {short(finding.signature)}"))
    return 1 if findings else 0
