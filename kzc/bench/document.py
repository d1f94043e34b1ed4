# SPDX-License-Identifier: GPL-2.0-only
"""A bench as one JSON document for machines: the bench itself, and what was made of it.

Rule: what is read equals what was written. `marks` and `cells` are there for readers that have no
statistics of their own; reading makes them anew from `bench`. `schema()` describes it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from kzc.bench.compare import Comparison
from kzc.bench.measured import Measured, measured
from kzc.bench.report import marks
from kzc.bench.result import Bench, adapter, parsed


@dataclass(frozen=True)
class Document:
    """`marks` must be shown with any figure; `cells` are all figures of all cells, folded.
    `comparison` is with another bench or kernel, where one was asked for."""

    bench: Bench
    marks: tuple[str, ...]
    cells: tuple[Measured, ...]
    comparison: Comparison | None = None


def document(bench: Bench, comparison: Comparison | None = None) -> Document:
    """All that there is to say."""
    cells = tuple(each for figure in bench.plan.figures for each in measured(bench, figure))
    return Document(bench, tuple(marks(bench)), cells, comparison)


def to_json(bench: Bench, comparison: Comparison | None = None) -> str:
    """The document, indented; what is beyond ASCII is escaped, so that it can be printed."""
    made = adapter(Document).dump_python(document(bench, comparison), mode="json")
    return json.dumps(made, indent=1) + "\n"


def from_json(data: bytes | str, origin: str) -> Document:
    """The document again; `origin` is where it is from. Raises UsageError."""
    return parsed(adapter(Document), data, origin)


def schema() -> dict[str, Any]:
    """The JSON schema of a document."""
    return adapter(Document).json_schema()
