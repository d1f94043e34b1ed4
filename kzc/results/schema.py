# SPDX-License-Identifier: GPL-2.0-only
"""The shape of the JSON report, written down once: types for the code, JSON Schema for readers.

codec.py and json_report.py make these objects, so the type checker holds them to it; `kzc schema`
prints `json_schema()`. Keys are only ever added, so readers pass over what they do not know.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, with_config
from typing_extensions import TypedDict

from kzc.values import Stage, Verdict

ADDRESS = "https://json-schema.org/draft/2020-12/schema"

Text = Annotated[
    str, Field(description="As it came from patch, compiler or guest: not to be trusted.")
]
Seconds = Annotated[float | None, Field(description="Seconds of wall time; null: not known.")]
Detail = Annotated[
    dict[str, Any],
    Field(description="Evidence by name; `repeat` is the command that does it again."),
]


@with_config(title="Case")
class CaseObject(TypedDict):
    """One test of a suite, or one check of a patch."""

    name: Text
    verdict: Verdict
    seconds: Seconds
    reason: Text
    detail: Detail


@with_config(title="Outcome")
class OutcomeObject(TypedDict):
    """What one stage found out about one subject."""

    stage: Stage
    subject: Text
    verdict: Annotated[Verdict, Field(description="The outcome's own, without its cases.")]
    seconds: Seconds
    log: Annotated[str, Field(description="Path below the run's folder; empty without one.")]
    reason: Text
    detail: Detail
    cases: list[CaseObject]
    judged: Annotated[Verdict, Field(description="The worse of its own verdict and its cases'.")]


@with_config(title="kzc report")
class ReportObject(TypedDict):
    """A run of kzc and everything that it found out."""

    schema: Annotated[Literal[1], Field(description="Grows when a key changes its meaning.")]
    id: str
    started: Annotated[str, Field(description="UTC, ISO 8601.")]
    finished: Annotated[str, Field(description="Empty: the run was cut short.")]
    command: list[str]
    kzc: Annotated[str, Field(description="The version of kzc.")]
    environment: Annotated[
        dict[str, str], Field(description="What the verdicts are of: tree, series, kernel, tools.")
    ]
    verdict: Annotated[
        Literal[
            "pass", "fail", "skip", "xfail", "crash", "timeout", "infra", "not_run", "not_clean"
        ],
        Field(description="The worst of all outcomes; not_clean: good, but for measurement only."),
    ]
    exit_code: Annotated[int, Field(description="0 good, 1 the code failed, 3 the host broke.")]
    clean: Annotated[bool, Field(description="Whether this speaks for a kernel one could merge.")]
    caveat: Annotated[str, Field(description="Why a good verdict is not to be taken for one.")]
    counts: Annotated[dict[Verdict, int], Field(description="Cases by verdict, those of 0 too.")]
    outcomes: list[OutcomeObject]
    folder: Annotated[str, Field(description="Where the run's logs were when this was written.")]


def json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of `kzc report --format json`."""
    return {"$schema": ADDRESS, **TypeAdapter(ReportObject).json_schema()}
