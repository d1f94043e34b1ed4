# SPDX-License-Identifier: GPL-2.0-only
"""What is wrong in [ci], in plain words: a line for each field, and none for what follows from it.

pydantic tells of a list with a wrong entry that it is empty, too, and of each way in which a field
may be written why it is not that one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Problem = Mapping[str, Any]
"""One of pydantic's: its type, loc, msg, input and ctx."""

# no fields of the file: which way to write it was tried, and that it is a table's key
_MARKS = frozenset({"bool", "tuple[Some, ...]", "[key]"})
_WANTED = {
    "tuple_type": 'a list is wanted, as ["one", "two"]',
    "string_type": "a text in quotes is wanted",
    "int_type": "a whole number is wanted",
    "int_parsing": "a whole number is wanted",
    "int_from_float": "a whole number is wanted",
    "float_type": "a number is wanted",
    "model_type": "a table is wanted",
    "dict_type": "a table is wanted",
    "string_pattern_mismatch": "a host is wanted, as ssh://root@lab",
    "greater_than_equal": "the least is {ge}",
    "less_than_equal": "the most is {le}",
    "literal_error": "it has to be {expected}",
}


def lines(problems: Sequence[Problem], fields: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """A line for each wrong field; `fields` are those there are of each table, by its last word
    (`ci` for the whole)."""
    places = [_place(problem) for problem in problems]
    found = []
    for problem, place in zip(problems, places, strict=True):
        if not any(len(other) > len(place) and other[: len(place)] == place for other in places):
            found.append(f"{'.'.join(place)}: {_told(problem, place, fields)}")
    return tuple(dict.fromkeys(found))


def _place(problem: Problem) -> tuple[str, ...]:
    return ("ci", *(str(part) for part in problem["loc"] if part not in _MARKS))


def _told(problem: Problem, place: Sequence[str], fields: Mapping[str, Sequence[str]]) -> str:
    kind, value = problem["type"], problem["input"]
    if kind == "missing":
        return "it is missing"
    if kind == "extra_forbidden":
        table = next(word for word in reversed(place[:-1]) if word in fields)
        return f"there is no such field (there are: {', '.join(fields[table])})"
    if kind == "value_error":
        return str(problem["ctx"]["error"])
    if kind == "too_short":
        return "it is empty"
    if place[-1] == "may_fail":
        return f"true, false or a list of tables is wanted (it is {value!r})"
    wanted = _WANTED.get(kind)
    said = wanted.format(**problem.get("ctx", {})) if wanted else problem["msg"]
    return f"{said} (it is {value!r})"
