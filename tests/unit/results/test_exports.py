# SPDX-License-Identifier: GPL-2.0-only
"""Reports for other programs, judged by these programs' own rules: the schema that Jenkins' xunit
plugin checks JUnit with, kcidb-io's validator, kzc's own KTAP reader, a JSON Schema validator.

tests/data/results/junit-10.xsd is the schema of Jenkins' xunit plugin (github.com/jenkinsci/
xunit-plugin, src/main/resources/.../JUnitType), MIT licence, as the source package of pytest 9.0.2
carries it (testing/example_scripts/), unchanged.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import xmlschema
from kcidb_io.schema import LATEST

from kzc.results import kcidb
from kzc.results.formats import EXPORTS, FORMATS
from kzc.results.kcidb import path
from kzc.results.markdown import step_summary
from kzc.results.schema import json_schema
from kzc.results.verdicts import MEASUREMENT_ONLY, exit_code
from kzc.suites.ktap import parse
from kzc.values import Case, Outcome, Run, Stage, Verdict

from . import hostile, sample

DATA = Path(__file__).parents[2] / "data" / "results"
SCHEMA = Path(__file__).parents[3] / "docs" / "report.schema.json"
GOLDEN = {"ktap": "report.ktap", "kcidb": "report.kcidb.json", "summary": "summary.md"}


def runs() -> list[Run]:
    """The sample, what is left of it, and runs whose every text is hostile."""
    run = sample.run()
    marked = {**sample.ENVIRONMENT, MEASUREMENT_ONLY: "bench-localhost-zerocopy"}
    bare = replace(run, started="", finished="", environment={}, outcomes=())
    checked = Outcome(
        Stage.CHECK,
        "1/4 x",
        Verdict.FAIL,
        3,
        cases=(Case("build", Verdict.FAIL), Case("y", Verdict.PASS)),
    )
    return [
        run,
        sample.clean_run(),
        replace(run, finished=""),
        bare,
        replace(sample.clean_run(), environment=marked),
        replace(run, outcomes=(checked, *run.outcomes[7:])),
        *map(hostile.run, hostile.NAMES[::3]),
    ]


@pytest.mark.parametrize("name", GOLDEN)
def test_the_sample_looks_as_before(name: str) -> None:
    shown = EXPORTS[name](sample.run(), sample.FOLDER)
    if os.environ.get("KZC_REGEN"):
        (DATA / GOLDEN[name]).write_text(shown)
    assert shown == (DATA / GOLDEN[name]).read_text()


def test_junit_is_what_jenkins_takes() -> None:
    schema = xmlschema.XMLSchema(DATA / "junit-10.xsd")
    for run in runs():
        schema.validate(FORMATS["junit"](run, sample.FOLDER))


def test_kcidb_takes_every_run() -> None:
    for run in runs():
        report = json.loads(EXPORTS["kcidb"](run, sample.FOLDER))
        LATEST.validate_exactly(report)
        for kind in ("checkouts", "builds", "tests"):
            ids = [each["id"] for each in report[kind]]
            assert len(ids) == len(set(ids))
            assert all(each["start_time"] for each in report[kind])
        builds = {each["id"] for each in report["builds"]}
        assert all(each["build_id"] in builds for each in report["tests"])
        assert not [each for each in report["tests"] if "" in each["path"].split(".")]


def test_kcidb_says_where_a_case_belongs_and_how_it_ended() -> None:
    tests = json.loads(EXPORTS["kcidb"](sample.run(), sample.FOLDER))["tests"]
    known = {each["path"]: each for each in tests}
    assert known["boot"]["status"] == "PASS"
    assert known["kselftest.vsock"]["status"] == "FAIL"
    assert known["kselftest.vsock.18_SOCK_STREAM_SIGPIPE"]["status"] == "FAIL"
    assert known["kselftest.vsock.21_SOCK_SEQPACKET_MSG_ZEROCOPY"]["status"] == "MISS"
    assert "ECONNRESET" in known["kselftest.vsock.18_SOCK_STREAM_SIGPIPE"]["log_excerpt"]
    begun = [each["start_time"] for each in tests]
    assert begun == sorted(begun)


def test_a_path_has_no_empty_part() -> None:
    assert path("kselftest", "net", "a/b.c//d e") == "kselftest.net.a.b_c.d_e"
    assert path("kselftest", "/", "...") == "kselftest._"


def test_a_patched_checkout_claims_no_hash_that_it_does_not_know() -> None:
    patched = json.loads(kcidb.kcidb(sample.run()))["checkouts"][0]
    assert "patchset_hash" not in patched
    plain = {**sample.ENVIRONMENT, "series": "", "commit": "a" * 40}
    bare = json.loads(kcidb.kcidb(replace(sample.run(), environment=plain), "lab"))["checkouts"][0]
    assert (bare["patchset_hash"], bare["git_commit_hash"], bare["origin"]) == ("", "a" * 40, "lab")


def test_ktap_is_read_back_by_kzc_itself() -> None:
    for run in runs():
        text = EXPORTS["ktap"](run, sample.FOLDER)
        cases = parse(text.splitlines(), status=0)
        assert all(case.verdict.good for case in cases) == (exit_code(run) == 0)
        results = re.findall(r"^ *(?:not )?ok \d+ ", text, re.M)
        assert len(cases) == len(results)
    assert text.startswith("KTAP version 1\n")


def test_ktap_keeps_names_and_verdicts() -> None:
    cases = parse(EXPORTS["ktap"](sample.run(), sample.FOLDER).splitlines(), status=0)
    found = {case.name: case.verdict for case in cases}
    assert found["vsock/20 SOCK_STREAM MSG_ZEROCOPY"] is not Verdict.PASS
    assert found["msg_zerocopy/raw IPv4 zerocopy"] is Verdict.SKIP
    assert found["msg_zerocopy/tcp IPv4 copy"] is Verdict.PASS


def test_the_step_summary_is_never_more_than_its_limit() -> None:
    whole = step_summary(sample.run(), sample.FOLDER)
    assert whole.index("### What failed") < whole.index("| Stage |")
    assert "](logs/" not in whole
    for run in runs():
        for limit in (3_000, 20_000):
            shown = step_summary(run, sample.FOLDER, limit)
            assert len(shown.encode()) <= max(limit, 0) or len(shown) < 20_000
    few = step_summary(sample.run(), sample.FOLDER, 3_000)
    assert len(few.encode()) <= 3_000
    assert few.startswith("## CRASH: ")
    assert "left out here for its size" in few
    assert "- tree id: " in few


def test_the_json_report_is_what_the_published_schema_says() -> None:
    schema = json_schema()
    if os.environ.get("KZC_REGEN"):
        SCHEMA.write_text(json.dumps(schema, indent=2) + "\n")
    assert json.loads(SCHEMA.read_text()) == schema
    jsonschema.Draft202012Validator.check_schema(schema)
    validator: Any = jsonschema.Draft202012Validator(schema)
    recorded = [json.loads((DATA / "report.json").read_text())]
    for report in (*recorded, *(json.loads(FORMATS["json"](run, sample.FOLDER)) for run in runs())):
        validator.validate(report)
    broken = {**recorded[0], "verdict": "good"}
    assert not validator.is_valid(broken)
