# SPDX-License-Identifier: GPL-2.0-only
"""The tables [ci] and [[ci.matrix]] of kzc.toml: what is tested on what, and what may fail.

Every word is one that the command line has. A message names the file and the field.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from kzc.errors import UsageError
from kzc.jobs.ci.mistakes import lines
from kzc.jobs.ci.values import NONE, Cell
from kzc.settings import FILE_NAME

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0}
_SPAN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(s|min|h)\b")
_LEAST = 'the least is a table [[ci.matrix]] with trees = ["TREE"] and series = ["SERIES"]'
_SIZE = re.compile(r"([1-9]\d*)\s*([MG])")


def seconds(text: object) -> object:
    """Seconds of "90 min" or "1 h 30 min"; anything else as it is, for others to refuse."""
    if not isinstance(text, str) or not text.strip() or _SPAN.sub("", text).strip():
        return text
    return sum(float(found[1]) * _UNITS[found[2]] for found in _SPAN.finditer(text))


def mebibytes(text: object) -> object:
    """MiB of "4G" or "512M"; anything else as it is, for others to refuse."""
    found = _SIZE.fullmatch(text) if isinstance(text, str) else None
    return int(found[1]) * (1024 if found[2] == "G" else 1) if found else text


def _time(value: object) -> object:
    found = seconds(value)
    if isinstance(found, bool) or not isinstance(found, (int, float)):
        raise ValueError(f'{value!r} is no time, as "90 min" or "1 h 30 min"')
    return found


def _memory(value: object) -> object:
    found = mebibytes(value)
    if isinstance(found, bool) or not isinstance(found, int):
        raise ValueError(f'{value!r} is no size, as "8G" or "512M"')
    return found


def _word(text: str) -> str:
    # it becomes a word of a command line, where it must not read as an option
    if not text.strip() or text.startswith("-") or not text.isprintable():
        raise ValueError(f"{text!r} is no name")
    return text


Word = Annotated[str, AfterValidator(_word)]
_Words = Annotated[tuple[Word, ...], Field(min_length=1)]
_Where = Literal["build", "loopback", "pair", "nested", "bench"]
_Size = Annotated[int, BeforeValidator(_memory), Field(ge=1, strict=True)]
_Topology = Literal["loopback", "pair", "nested"]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Some(_Table):
    """Cells of the matrix: those that agree with all that is said here."""

    tree: Word | None = None
    series: Word | None = None
    profile: Word | None = None
    topology: _Topology | None = None
    suite: Word | None = None
    plan: Word | None = None

    def means(self, cell: Cell) -> bool:
        """Whether a cell is one of them; what is said of suites is not said of their kernel."""
        said = self.model_dump(exclude_none=True)
        return all(getattr(cell, name) == value for name, value in said.items())


class Block(_Table):
    """One [[ci.matrix]]: every tree with every series, profile, topology and suite.

    Without suites a series brings its own, and a tree as it is all that kzc has.
    """

    trees: _Words
    series: _Words = (NONE,)
    profiles: _Words = ("default",)
    topologies: Annotated[tuple[_Topology, ...], Field(min_length=1)] = ("loopback",)
    suites: tuple[Word, ...] | None = None
    plans: tuple[Word, ...] = ()
    host: str = Field(default="", pattern=r"^(ssh://\S+)?$")
    exclude: tuple[Some, ...] = ()
    may_fail: bool | tuple[Some, ...] = ()

    def fails_quietly(self, cell: Cell) -> bool:
        """Whether a failure there is told, and counts for nothing."""
        if isinstance(self.may_fail, bool):
            return self.may_fail
        return any(some.means(cell) for some in self.may_fail)


class Want(_Table):
    """What jobs of a kind take, instead of what kzc thinks they do."""

    cpus: int | None = Field(default=None, ge=1)
    memory: _Size | None = None


class Matrix(_Table):
    """The whole of [ci]. `trees` gives names to sources, for machines that have none added.

    `budget` is seconds for all, 0 for no limit; `retries` how often a failed job is done again.
    """

    budget: Annotated[float, BeforeValidator(_time), Field(ge=0, strict=True)] = 0.0
    retries: int = Field(default=1, ge=0, le=5)
    trees: dict[Word, Word] = {}
    wants: dict[_Where, Want] = {}
    matrix: Annotated[tuple[Block, ...], Field(min_length=1)]


_FIELDS: dict[str, type[_Table]] = {
    "ci": Matrix,
    "wants": Want,
    "matrix": Block,
    "exclude": Some,
    "may_fail": Some,
}


def find_file(folder: Path) -> Path:
    """The nearest kzc.toml with [ci] in it, from `folder` upwards. Raises UsageError."""
    for place in (folder, *folder.parents):
        file = place / FILE_NAME
        if file.is_file() and "ci" in _read(file):
            return file
    raise UsageError(
        f"no {FILE_NAME} with [[ci.matrix]] in {folder} or above",
        f"name one: `kzc ci FILE`; {_LEAST}",
    )


def load_matrix(file: Path) -> Matrix:
    """What a file asks for. Raises UsageError that names the file and each wrong field."""
    table = _read(file).get("ci")
    if not isinstance(table, dict):
        raise UsageError(f"{file} has no [[ci.matrix]]", _LEAST)
    try:
        return Matrix.model_validate(table)
    except ValidationError as error:
        told = lines(error.errors(), {name: tuple(of.model_fields) for name, of in _FIELDS.items()})
        least = any(line.startswith("ci.matrix: ") for line in told)
        raise UsageError(
            "\n".join(f"{file}: {line}" for line in told),
            _LEAST if least else "`kzc help ci` says what each field is",
        ) from None


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file}: no valid TOML: {error}") from None
