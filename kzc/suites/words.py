# SPDX-License-Identifier: GPL-2.0-only
"""Words for what pydantic found wrong in a file: the field, as it is spelt there, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import ValidationError


def first_problem(error: ValidationError) -> str:
    """`commands.0.timeout: Input should be greater than 0`, and how many more there are."""
    problems = error.errors(include_url=False)
    where = ".".join(str(part) for part in problems[0]["loc"])
    words = problems[0]["msg"].removeprefix("Value error, ")
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {words}{more}" if where else f"{words}{more}"
