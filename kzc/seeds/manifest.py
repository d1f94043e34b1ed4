# SPDX-License-Identifier: GPL-2.0-only
"""seeds/NAME.toml: a document that kzc was made after, its claims, and what proves each.

Adding a claim is adding a table. Every message names the file and the key.
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from kzc.errors import UsageError
from kzc.seeds.rules import Rule, parse_rule
from kzc.values import Verdict

AT = "{at}"
_Text = Annotated[str, Field(min_length=1)]
_Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")]
_Rule = Annotated[Rule, BeforeValidator(parse_rule)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)


class Posted(_Table):
    """One figure of a claim. `at` is put in place of `{at}` in the claim's cells. `posted` is the
    figure that was posted and `posted_of` the one that it is a part of; without `posted_of` it is
    percent already where the claim has a cell `of`. `rule` is in place of the claim's."""

    at: str = ""
    posted: float | None = None
    posted_of: float | None = Field(default=None, gt=0)
    rule: _Rule | None = None

    @property
    def percent(self) -> float | None:
        """What was posted, as the rule takes it."""
        if self.posted is None or self.posted_of is None:
            return self.posted
        return self.posted / self.posted_of * 100


class Claim(_Table):
    """What a document claims. Proven by a `plan` of `kzc bench` or a `suite`, else `untold` says
    why kzc cannot prove it.

    Of a plan, or a suite's numbers: `figure` of the case `cell`, as percent of that of `of` where
    there is one, is held against each of `points` by `rule`. Of a suite otherwise: the cases that
    fit `cases` (as shells' file names do) have to end as one of `ends`. With `may_copy` the figure
    counts also where all was copied, as the claim is of messages that are. Only runs count in
    `topology`, with `series` on their kernel if it names one, and with `overlay`, or with none if
    that says none. `profile` is what the command asks for where the default's kernel has not all
    cases.
    """

    name: _Name
    says: _Text
    where: str = ""
    note: str = ""
    plan: str = ""
    suite: str = ""
    untold: str = ""
    topology: str = "loopback"
    series: str = ""
    overlay: str = ""
    profile: str = ""
    figure: str = ""
    unit: str = ""
    cell: str = ""
    of: str = ""
    rule: _Rule | None = None
    points: tuple[Posted, ...] = ()
    cases: tuple[_Text, ...] = ()
    ends: tuple[Verdict, ...] = (Verdict.PASS,)
    may_copy: bool = False

    @property
    def proof(self) -> str:
        """`plan txzc` or `suite vsock`; empty where there is none."""
        return f"plan {self.plan}" if self.plan else f"suite {self.suite}" if self.suite else ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if sum(map(bool, (self.plan, self.suite, self.untold))) != 1:
            raise ValueError("has to have one of plan, suite, untold")
        if self.untold:
            return self
        if bool(self.figure) == bool(self.cases):
            raise ValueError("has to have either figure, with points, or cases")
        if self.plan and self.cases:
            raise ValueError("cases are a suite's: a plan has figure, cell and points")
        if self.figure and not (self.cell and self.points):
            raise ValueError("figure wants cell and points")
        for point in self.points:
            self._check(point)
        return self

    def _check(self, point: Posted) -> None:
        rule = point.rule or self.rule
        if rule is None:
            raise ValueError(f"there is no rule for the point {point.at!r}")
        if rule.of_posted and point.posted is None:
            raise ValueError(f"{rule}: nothing was posted for the point {point.at!r}")
        if bool(point.at) != (AT in self.cell):
            raise ValueError(f"the point {point.at!r} and {AT} in cell belong together")


class Seed(_Table):
    """A document. `tree` is what --tree of the commands takes that prove its claims."""

    seed: Annotated[str, Field(pattern=r"^\d{3}$")]
    title: _Text
    author: _Text
    what: _Text
    date: datetime.date | None = None
    message_id: str = Field(default="", pattern=r"^([^<>\s]+@[^<>\s]+)?$")
    link: str = ""
    tree: _Text
    about: str = ""
    claims: tuple[Claim, ...] = Field(min_length=1)

    @property
    def links(self) -> tuple[str, ...]:
        """Where it can be read."""
        lore = f"https://lore.kernel.org/r/{self.message_id}" if self.message_id else ""
        return tuple(filter(None, (lore, self.link)))

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [claim.name for claim in self.claims]
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise ValueError(f"claims: {', '.join(doubled)} is there more than once")
        return self


def load_seed(path: Path) -> Seed:
    """The seed in a file. Raises UsageError naming file and key."""
    shown = Path(*path.parts[-2:])
    try:
        return Seed.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{shown}: {where}: {first['msg']}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"{shown}: {error}") from None


def load_seeds(folder: Path, wanted: Sequence[str] = ()) -> tuple[Seed, ...]:
    """All seeds of a folder by their number, or those wanted. Raises UsageError."""
    seeds = sorted(map(load_seed, folder.glob("*.toml")), key=lambda seed: seed.seed)
    known = [seed.seed for seed in seeds]
    for each in wanted:
        if each not in known:
            raise UsageError(f"there is no seed {each}", f"there are: {', '.join(known)}")
    return tuple(seed for seed in seeds if not wanted or seed.seed in wanted)
