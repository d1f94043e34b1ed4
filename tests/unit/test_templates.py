# SPDX-License-Identifier: GPL-2.0-only
"""The templates below ci/ are what their systems take, and say what `kzc ci` understands."""

from __future__ import annotations

import re
import shlex
import shutil
import textwrap
from pathlib import Path
from typing import Any

import pytest

from kzc.cli.app import command
from kzc.cli.ci import FILES
from tests.plain import RUNNER

CI = Path(__file__).parents[2] / "ci"
TEMPLATES = ("github/action.yml", "gitlab/kzc.yml", "systemd/kzc-ci.service")


def fits(schema: str, file: Path) -> bool:
    """What a validator says by a schema that it has with it; no network is used."""
    checker = pytest.importorskip("check_jsonschema")
    words = ["--builtin-schema", f"vendor.{schema}", str(file)]
    return bool(checker.main(words, standalone_mode=False) == 0)


@pytest.mark.parametrize(
    ("schema", "file", "right", "wrong"),
    [
        ("github-actions", "github/action.yml", "using: composite", "using: compost"),
        ("github-workflows", "github/workflow.yml", "runs-on:", "run-on:"),
        ("gitlab-ci", "gitlab/kzc.yml", "when: always", "when: ever"),
    ],
)
def test_a_template_fits_its_schema(
    schema: str, file: str, right: str, wrong: str, tmp_path: Path
) -> None:
    assert fits(schema, CI / file)
    # GitLab takes anything for a job that is hidden, so the job is looked at as one of its own
    text = (CI / file).read_text().replace("\n.kzc:", "\nkzc:")
    (tmp_path / "right.yml").write_text(text)
    assert fits(schema, tmp_path / "right.yml")
    assert right in text
    (tmp_path / "wrong.yml").write_text(text.replace(right, wrong))
    assert not fits(schema, tmp_path / "wrong.yml")


def test_their_scripts_are_shell() -> None:
    text = (CI / "github" / "action.yml").read_text()
    scripts = [
        textwrap.dedent(each) for each in re.findall(r"(?m)^ +run: \|\n((?: {8}.*\n|\n)+)", text)
    ]
    assert len(scripts) == 2
    for script in scripts:
        assert "${{" not in script
        RUNNER.capture(["bash", "-n"], stdin=script.encode())


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd-analyze")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    def verified(*files: Path) -> tuple[int, str]:
        env = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path)}
        words = ["systemd-analyze", "verify", "--user", "--man=no", *map(str, files)]
        done = RUNNER.capture(words, env=env, check=False)
        return done.code, done.stdout + done.stderr

    (tmp_path / "kzc-ci").mkdir()
    units = [CI / "systemd" / f"kzc-ci.{kind}" for kind in ("service", "timer")]
    assert verified(*units) == (0, "")
    wrong = tmp_path / "wrong.service"
    wrong.write_text(units[0].read_text().replace("KillSignal=SIGINT", "KillSignal=SIGNOTHING"))
    assert "SIGNOTHING" in verified(wrong)[1]


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_command_of_kzc_in_it_is_one(template: str) -> None:
    verbs: Any = command()
    lines = re.findall(
        r"(?m)^[^#\n]*?\bkzc ((?:ci|clean) [^|\n]*|clean$)", (CI / template).read_text()
    )
    assert {shlex.split(line)[0] for line in lines} >= {"ci", "clean"}
    for line in lines:
        verb, *words = shlex.split(line)
        known = {option for each in verbs.commands[verb].params for option in each.opts}
        assert {word for word in words if word.startswith("--")} <= known, line


@pytest.mark.parametrize("template", TEMPLATES[:2])
def test_the_reports_it_takes_are_those_that_are_written(template: str) -> None:
    taken = set(re.findall(r"\b(?:report|summary|junit)\.\w+", (CI / template).read_text()))
    assert taken
    assert taken <= set(FILES.values())
