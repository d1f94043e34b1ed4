# SPDX-License-Identifier: GPL-2.0-only
"""The tree that KTAP results form while they are read: levels by the width of their prefix.

A level collects results until one of a lower level takes them over. Plans are met or filled up
with NOT_RUN when a level closes; a level whose own result never came is a CRASH.
"""

from __future__ import annotations

from typing import Any

from kzc.values import Verdict

CUT = "cut before its end"

Leaf = str  # the name of a result that passed, with nothing else to say


class Node:
    """A result with a directive, metadata, or others nested below it."""

    __slots__ = ("children", "detail", "name", "reason", "seconds", "verdict")

    def __init__(self, name: str, verdict: Verdict, reason: str = "") -> None:
        self.name = name
        self.verdict = verdict
        self.reason = reason
        self.seconds = 0.0
        self.detail: dict[str, Any] | None = None
        self.children: list[Node | Leaf] | None = None

    def note(self, values: dict[str, Any]) -> None:
        if values:
            self.detail = {**values, **(self.detail or {})}


class Level:
    """Results with the same width of prefix, and the plans for them."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.nodes: list[Node | Leaf] = []
        self.silent: list[str] = []  # nodes of the plan that had no result
        self.numbers: list[int] = []
        self.plan: int | None = None
        self.again: int | None = None
        self.header = False
        self.plain = False  # the next result changes nothing but the results
        self.about: dict[str, Any] = {}
        self.pending: dict[str, Any] = {}
        self.title = ""
        self.reason = ""
        self.bailed = False

    def add(self, node: Node, number: int) -> None:
        again, self.again = self.again, None
        if again is not None and number == 1:
            self.close(False)
            self.plan = again
        if number:
            self.numbers.append(number)
        self.header = False
        if self.pending:
            node.note(self.pending)
            self.pending = {}
        self.nodes.append(node)
        self.plain = True

    def planned(self, count: int) -> None:
        """A plan; one after results of a planned document may open another document."""
        self.header = False
        if self.plan is not None and self.numbers:
            self.again = count
            self.plain = False
        else:
            self.plan = max(count, self.plan or 0)

    def begin(self) -> None:
        """A version line: what came before on this level was a document of its own."""
        if self.numbers or self.plan is not None:
            self.close(False)
        self.header = True
        self.plain = False

    def about_to(self, key: str, value: str) -> None:
        """Metadata: of the level's owner right after a version line, else of the next result."""
        if self.header and key in self.about:
            self.header = False
        (self.about if self.header else self.pending)[key] = value
        self.plain = False

    def close(self, cut: bool) -> None:
        """Add what the plan has and the results have not; the first of them was running."""
        plan = max(self.plan or 0, self.again or 0)
        count = plan - len(self.numbers)
        if count > 0:
            seen = set(self.numbers)
            free = [number for number in range(1, plan + 1) if number not in seen]
            for number in free[-count:] if len(free) > count else free:
                running = cut and not self.bailed
                verdict = Verdict.CRASH if running else Verdict.NOT_RUN
                reason = CUT if running else "in the plan, and without a result"
                self._without_result(number, verdict, reason)
                cut = False
        elif cut and self.plan is None and not self.bailed:
            self._without_result(self.following, Verdict.CRASH, CUT)
        self.numbers, self.plan, self.again = [], None, None

    def _without_result(self, number: int, verdict: Verdict, reason: str) -> None:
        self.silent.append(f"test {number}")
        self.nodes.append(Node(self.silent[-1], verdict, reason))

    @property
    def following(self) -> int:
        """The number that the next result should have."""
        return max(self.numbers, default=0) + 1


class Tree:
    """Levels that are open, the outermost first."""

    def __init__(self) -> None:
        self.levels: list[Level] = []

    def level(self, width: int) -> Level:
        """The level of that width, made if need be; deeper ones stay open."""
        levels = self.levels
        if levels and levels[-1].width == width:
            return levels[-1]
        index = len(levels)
        while index and levels[index - 1].width >= width:
            index -= 1
            if levels[index].width == width:
                return levels[index]
        levels.insert(index, Level(width))
        return levels[index]

    def result(self, width: int, node: Node, number: int) -> None:
        """Add a result and hand it all that is nested deeper."""
        while self.levels and self.levels[-1].width > width:
            _adopt(node, self.levels.pop(), cut=False)
        self.level(width).add(node, number)

    def finish(self, cut: bool) -> Level | None:
        """Close all levels; nested results whose own test never ended get a CRASH above them."""
        while len(self.levels) > 1:
            inner = self.levels.pop()
            outer = self.levels[-1]
            number = outer.following
            node = Node(inner.title or f"test {number}", Verdict.CRASH, CUT)
            _adopt(node, inner, cut)
            outer.add(node, number)
            cut = False
        if self.levels:
            self.levels[0].close(cut)
        return self.levels[0] if self.levels else None


def _adopt(node: Node, level: Level, cut: bool) -> None:
    level.close(cut and bool(level.nodes or level.plan is not None))
    node.note(level.about | level.pending)
    node.reason = node.reason or level.reason
    # levels are handed over from the deepest, so a shallower one comes first
    node.children = level.nodes + (node.children or [])
